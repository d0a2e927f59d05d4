"""From words on the command line to a command, a frozen dataclass, by way of tyro."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from etude.cli import aliases, mappings, slots
from etude.cli.view import MISSING, restore, view
from etude.core import codec
from etude.core.errors import ConfigError, UserError
from etude.hardware import cameras

C = TypeVar("C")

CAMERAS = "--robot.cameras"


def parse(command: type[C], arguments: Sequence[str], *, prog: str) -> C:
    """Read a command; raises `UserError` for what cannot be understood, and exits after printing help."""
    import tyro

    stored, arguments = _stored_run(command, arguments)
    concrete, arguments = slots.fill(command, arguments, _stored_types(stored))
    views, arguments = _take(arguments, CAMERAS) if "robot" in slots.slots_of(command) else (None, list(arguments))
    parts, arguments = mappings.take(concrete, arguments)
    flags = dict(_flags(concrete))
    arguments = _explicit_booleans(aliases.translate(arguments, set(flags) | {"--config"}), flags)
    default = _decoded(concrete, command, stored) if stored else MISSING
    seen = tyro.cli(
        view(concrete, default),
        args=arguments,
        prog=prog,
        use_underscores=True,
        config=(tyro.conf.FlagConversionOff, tyro.conf.HelptextFromCommentsOff),
    )
    given = mappings.put(restore(command, seen, typing.get_type_hints(concrete)), parts)
    return given if views is None else _with_cameras(given, views)


def encode(command: Any) -> dict[str, Any]:
    """Turn a command into JSON that `--config=` reads back."""
    return codec.versioned(codec.encode(command, _registries(type(command))))


def _registries(command: type) -> dict[str, Any]:
    """Name the registries of a command's plugins, and of those that its plugins hold."""
    return {name: slot.registry for name, slot in slots.slots_of(command).items()} | {"cameras": cameras}


def _stored_run(command: type, arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    # Other aliases have to wait: only with its slots chosen it is known which flags a command has itself.
    lerobots, rest = _take(arguments, "--config_path")
    path, rest = _take(rest, "--config")
    path = path or lerobots
    if path is None:
        return {}, rest
    file = Path(path) / "config.json" if Path(path).is_dir() else Path(path)
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigError(f"--config={path} cannot be read as a stored run: {error}.") from error
    if not isinstance(run, dict) or not isinstance(run.get("config"), dict):
        raise ConfigError(f"--config={path} is not a stored run: it has no 'config'.")
    expected = command.__name__.lower()
    if run.get("command") != expected:
        raise ConfigError(f"--config={path} is a stored '{run.get('command')}', not '{expected}'.")
    return codec.unversioned(run["config"], path), rest


def _stored_types(stored: dict[str, Any]) -> dict[str, str]:
    return {name: value["type"] for name, value in stored.items() if isinstance(value, dict) and "type" in value}


def _decoded(concrete: type, command: type, stored: dict[str, Any]) -> Any:
    """Read a stored command into the concrete class; a slot typed anew keeps nothing of what was stored for it."""
    registries = _registries(command)
    hints = typing.get_type_hints(concrete)
    kept = {
        name: value
        for name, value in stored.items()
        if name not in registries or (value and registries[name].config(value["type"]) is hints[name])
    }
    return codec.decode(concrete, kept, registries, where="the stored run")


def _take(arguments: Sequence[str], flag: str) -> tuple[str | None, list[str]]:
    """Take `flag` and its value out of the arguments; the last one wins."""
    value, rest, queue = None, [], list(arguments)
    while queue:
        argument = queue.pop(0)
        name, equals, text = argument.partition("=")
        if name != flag:
            rest.append(argument)
            continue
        if not equals and not queue:
            raise UserError(f"{flag} needs a value.")
        value = text if equals else queue.pop(0)
    return value, rest


def _flags(cls: type, prefix: str = "--") -> Iterator[tuple[str, Any]]:
    """Walk the flags of a dataclass with their types: `--seed`, `--robot.port`."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            yield from _flags(hint, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", hint


def _explicit_booleans(arguments: Sequence[str], flags: dict[str, Any]) -> list[str]:
    """Spell booleans out: `--resume` and `--resume=true` both become `--resume=True`."""
    result: list[str] = []
    queue = list(arguments)
    while queue:
        flag, equals, value = queue.pop(0).partition("=")
        if flags.get(flag) is not bool:
            result.append(flag + equals + value)
            continue
        if not equals:
            value = queue.pop(0) if queue and queue[0].lower() in ("true", "false") else "true"
        result.append(f"{flag}={value.capitalize()}")
    return result


def _with_cameras(command: Any, text: str) -> Any:
    from etude.hardware.cameras import parse_cameras

    if not any(field.name == "cameras" for field in dataclasses.fields(command.robot)):
        raise UserError(f"{CAMERAS} was given, but this robot has no cameras to choose.")
    return dataclasses.replace(command, robot=dataclasses.replace(command.robot, cameras=parse_cameras(text)))
