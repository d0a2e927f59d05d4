"""Slots: fields of a command that take a plugin, chosen by `--slot.type=NAME`."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etude.core.errors import UserError
from etude.core.registry import Registry


@dataclass(frozen=True)
class Slot:
    """Marks a field of a command that takes a plugin of `registry`: `robot: Annotated[Any, Slot(robots)]`."""

    registry: Registry
    default: str
    """The plugin when none is chosen."""


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
    typed, rest = _choices(slots, arguments)
    chosen = {name: slot.default for name, slot in slots.items()} | (stored or {}) | typed
    namespace: dict[str, Any] = {
        "__annotations__": {},
        "__doc__": f"{command.__doc__}\n\n{_choices_shown(slots, chosen)}",
        "__module__": command.__module__,
    }
    for name, slot in slots.items():
        config = slot.registry.config(chosen[name])
        namespace["__annotations__"][name] = config
        if not _required_fields(config):
            namespace[name] = dataclasses.field(default_factory=config)
        else:
            namespace[name] = dataclasses.field()
    concrete = type(command.__name__, (command,), namespace)
    return dataclasses.dataclass(frozen=True, kw_only=True)(concrete), rest


def _choices(slots: dict[str, Slot], arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    chosen: dict[str, str] = {}
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        flag, equals, value = argument.partition("=")
        name = flag.removeprefix("--").removesuffix(".type")
        if flag == f"--{name}.type" and name in slots:
            if not equals and not queue:
                raise UserError(f"{flag} needs a name. Choose one of: {', '.join(slots[name].registry.names())}.")
            chosen[name] = value if equals else queue.pop(0)
        else:
            rest.append(argument)
    return chosen, rest


def _choices_shown(slots: dict[str, Slot], chosen: dict[str, str]) -> str:
    """Say in the help what may be plugged in, since the options below are those of the present choice."""
    shown = {name: [f"[{n}]" if n == chosen[name] else n for n in slot.registry.names()] for name, slot in slots.items()}
    return "\n".join(f"--{name}.type=NAME, one of: {', '.join(names)}" for name, names in shown.items())


def _required_fields(config: type) -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(config)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
