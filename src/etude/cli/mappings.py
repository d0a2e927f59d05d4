"""Options of a plugin's parts, such as each arm of a pair: `--robot.left_arm_config.port=/dev/ttyACM0`.

A field that is a plain mapping takes one key at a time, or all at once as `--robot.left_arm_config="{port: ...}"`.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from etude.cli import slots

C = TypeVar("C")
Given = dict[tuple[str, str], dict[str, Any]]
"""What was typed, by slot and field."""


def take(concrete: type, arguments: Sequence[str]) -> tuple[Given, list[str]]:
    """Take the options of mappings out of the arguments; `concrete` is a command with its slots chosen."""
    from etude.hardware.cameras.text import parse_mapping, parse_value

    fields = dict(_fields(concrete))
    given: Given = {}
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        flag, equals, text = argument.partition("=")
        slot, _, path = flag.removeprefix("--").partition(".")
        field, *keys = path.split(".")
        if (slot, field) not in fields:
            rest.append(argument)
            continue
        text = text if equals or not queue else queue.pop(0)
        values = given.setdefault((slot, field), {} if not keys else dict(fields[slot, field]))
        if not keys:
            given[slot, field] = values | parse_mapping(text)
        else:
            _put(values, keys, parse_mapping(text) if text.lstrip().startswith("{") else parse_value(text))
    return given, rest


def put(command: C, given: Given) -> C:
    """Give `command` with what was typed."""
    for (slot, field), values in given.items():
        config = dataclasses.replace(getattr(command, slot), **{field: values})
        command = dataclasses.replace(command, **{slot: config})  # pyright: ignore[reportArgumentType]
    return command


def _fields(concrete: type) -> list[tuple[tuple[str, str], Mapping[str, Any]]]:
    """List the mappings of a command's plugins with their defaults, but for cameras, which are plugins themselves."""
    hints = typing.get_type_hints(concrete)
    return [
        ((slot, field.name), field.default_factory())
        for slot in slots.slots_of(concrete.__mro__[1])
        if dataclasses.is_dataclass(hints[slot])  # not so where the slot is optional and nothing was said of it
        for field in dataclasses.fields(hints[slot])
        if field.default_factory is not dataclasses.MISSING and field.name != "cameras"
        if typing.get_type_hints(hints[slot])[field.name] == dict[str, Any]
    ]


def _put(values: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    """Put `value` where `keys` lead, leaving what lies beside it."""
    for key in keys[:-1]:
        values[key] = dict(values.get(key, {}))
        values = values[key]
    values[keys[-1]] = value
