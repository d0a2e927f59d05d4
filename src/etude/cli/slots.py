"""Slots: fields of a command that take a plugin, chosen by `--slot.type=NAME`, from one of its presets if it has any.

A preset is a classmethod of the plugin's config, such as `small`, and `--slot.preset=NAME` starts from it.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etude.core.errors import NotFound, UserError
from etude.core.registry import Registry


@dataclass(frozen=True)
class Slot:
    """Marks a field of a command that takes a plugin of `registry`: `robot: Annotated[Any, Slot(robots, "fake")]`."""

    registry: Registry
    default: str
    """The plugin when none is chosen."""
    preset: str = "default"
    """The preset when none is chosen, for plugins that have it."""
    is_optional: bool = False
    """Whether the field stays None when no flag speaks of it."""
    reads: str = ""
    """Function `module:name` that reads a plugin from the path in `--slot.path=PATH`, which then is what the other
    flags of the slot start from; the command has a field `slot_path` for it."""


def slots_of(command: type) -> dict[str, Slot]:
    """Find the slots of a command, by field name."""
    hints = typing.get_type_hints(command, include_extras=True)
    marks = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return {name: mark for name, found in marks.items() for mark in found if isinstance(mark, Slot)}


def fill(command: type, arguments: Sequence[str], stored: dict[str, str] | None = None) -> tuple[type, list[str]]:
    """Give the command with its slots typed by the plugins that `arguments` choose, and the arguments left over.

    `stored` are choices made earlier, such as in a stored run; typed ones win.
    """
    slots = slots_of(command)
    if not slots:
        return command, list(arguments)
    typed, rest = _take(slots, "type", arguments)
    presets, rest = _take(slots, "preset", rest)
    paths, rest = _take({name: slot for name, slot in slots.items() if slot.reads}, "path", rest)
    read = {name: _read(slots[name], path) for name, path in paths.items()}
    typed |= {name: slots[name].registry.name_of(config) for name, config in read.items()}
    chosen = {name: slot.default for name, slot in slots.items()} | (stored or {}) | typed
    unsaid = _unsaid(slots, arguments, stored or {})
    configs = {name: slot.registry.config(chosen[name]) for name, slot in slots.items()}
    said = {name: plugin for name, plugin in chosen.items() if name not in unsaid}
    namespace: dict[str, Any] = {
        "__annotations__": {name: _nothing() if name in unsaid else config for name, config in configs.items()},
        "__doc__": f"{inspect.cleandoc(command.__doc__ or '')}\n\n{_choices_shown(slots, configs, said)}",
        "__module__": command.__module__,
    }
    for name, slot in slots.items():
        namespace[name] = None if name in unsaid else _field(configs[name], name, slot, presets.get(name))
    namespace |= {name: dataclasses.field(default_factory=lambda found=found: found) for name, found in read.items()}
    concrete = type(command.__name__, (command,), namespace)
    rest += [f"--{name}_path={path}" for name, path in paths.items()]
    return dataclasses.dataclass(frozen=True, kw_only=True)(concrete), rest


def _read(slot: Slot, path: str) -> Any:
    module, _, name = slot.reads.partition(":")
    return getattr(importlib.import_module(module), name)(path)


def _unsaid(slots: dict[str, Slot], arguments: Sequence[str], stored: dict[str, str]) -> set[str]:
    """Name the optional slots that no flag speaks of."""
    flags = tuple(argument for argument in arguments if argument.startswith("--"))
    return {
        name
        for name, slot in slots.items()
        if slot.is_optional and name not in stored and not any(flag.startswith(f"--{name}.") for flag in flags)
    }


def _nothing() -> Any:
    """Give the type of a field that no flag can fill."""
    from tyro.conf import Fixed, Suppress

    return typing.Annotated[Any, Suppress, Fixed]


def presets_of(config: type) -> list[str]:
    """List a config's presets: `default`, the class as it stands, and its classmethods that take no arguments."""
    known = {name: value for kind in reversed(config.__mro__) for name, value in vars(kind).items()}
    made = [name for name, value in known.items() if isinstance(value, classmethod) and not name.startswith("_")]
    return ["default", *(name for name in made if not inspect.signature(getattr(config, name)).parameters)]


def _field(config: type, name: str, slot: Slot, preset: str | None) -> Any:
    known = presets_of(config)
    preset = preset or (slot.preset if slot.preset in known else "default")
    if preset not in known:
        raise NotFound(f"preset of --{name}", preset, known)
    if preset != "default":
        return dataclasses.field(default_factory=getattr(config, preset))
    return dataclasses.field() if _has_required_fields(config) else dataclasses.field(default_factory=config)


def _take(slots: dict[str, Slot], word: str, arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Take `--slot.word=NAME` of every slot out of the arguments."""
    chosen: dict[str, str] = {}
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        flag, equals, value = argument.partition("=")
        name = flag.removeprefix("--").removesuffix(f".{word}")
        if flag != f"--{name}.{word}" or name not in slots:
            rest.append(argument)
        elif equals or queue:
            chosen[name] = value if equals else queue.pop(0)
        else:
            raise UserError(f"{flag} needs a name.")
    return chosen, rest


def _choices_shown(slots: dict[str, Slot], configs: dict[str, type], chosen: dict[str, str]) -> str:
    """Say in the help what may be plugged in, since the options below are those of the present choice, if any."""
    lines: list[str] = []
    for name, slot in slots.items():
        names = (f"[{plugin}]" if plugin == chosen.get(name) else plugin for plugin in slot.registry.names())
        lines.append(f"--{name}.type=NAME, one of: {', '.join(names)}")
        if slot.preset != "default":
            known = ", ".join(presets_of(configs[name]))
            lines.append(f"--{name}.preset=NAME, one of: {known} (default: {slot.preset})")
    return "\n".join(lines)


def _has_required_fields(config: type) -> bool:
    missing = dataclasses.MISSING
    return any(field.default is missing and field.default_factory is missing for field in dataclasses.fields(config))
