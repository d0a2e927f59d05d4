"""Frozen dataclasses to JSON and back, strictly: an unknown key is an error that names the nearest right one."""

from __future__ import annotations

import dataclasses
import difflib
import enum
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etude.core.errors import ConfigError
from etude.core.registry import Registry

VERSION = 1


def encode(value: Any, registries: Mapping[str, Registry] | None = None) -> Any:
    """Turn a config into plain JSON values.

    A plugin's config also stores its `type`, when `registries` names the registry of the field that holds it.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _encode_field(field.name, getattr(value, field.name), registries or {})
            for field in dataclasses.fields(value)
        }
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): encode(item, registries) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item, registries) for item in value]
    return value


def _encode_field(name: str, value: Any, registries: Mapping[str, Registry]) -> Any:
    stored = encode(value, registries)
    if name in registries and dataclasses.is_dataclass(value):
        return {"type": registries[name].name_of(value)} | stored
    return stored


def decode(cls: Any, stored: Any, registries: Mapping[str, Registry] | None = None, *, where: str = "config") -> Any:
    """Rebuild a `cls` from what `encode` gave; raise `ConfigError` that says where it does not fit."""
    if dataclasses.is_dataclass(cls) and isinstance(cls, type):
        return _decode_dataclass(cls, stored, registries or {}, where)
    return _decode_value(cls, stored, registries or {}, where)


def _decode_dataclass(cls: type, stored: Any, registries: Mapping[str, Registry], where: str) -> Any:
    if not isinstance(stored, Mapping):
        raise ConfigError(f"{where} should be an object, got {type(stored).__name__}.")
    hints = typing.get_type_hints(cls)
    fields = {field.name for field in dataclasses.fields(cls) if field.init}
    for key in stored:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else f" Known: {', '.join(sorted(fields))}."
            raise ConfigError(f"{where} has no key '{key}'.{hint}")
    values = {
        key: _decode_slot(key, hints[key], item, registries, f"{where}.{key}") for key, item in stored.items()
    }
    try:
        return cls(**values)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def _decode_slot(key: str, hint: Any, stored: Any, registries: Mapping[str, Registry], where: str) -> Any:
    if key in registries and isinstance(stored, Mapping) and "type" in stored:
        rest = {name: item for name, item in stored.items() if name != "type"}
        return decode(registries[key].config(stored["type"]), rest, registries, where=where)
    return _decode_value(hint, stored, registries, where)


def _decode_value(hint: Any, stored: Any, registries: Mapping[str, Registry], where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(arguments, stored, registries, where)
    if origin is typing.Literal:
        if stored not in arguments:
            raise ConfigError(f"{where} should be one of {', '.join(map(repr, arguments))}, got {stored!r}.")
        return stored
    if origin is tuple:
        return _decode_tuple(arguments, stored, registries, where)
    if origin is list:
        return [decode(arguments[0], item, registries, where=f"{where}[{i}]") for i, item in enumerate(stored)]
    if origin is not None and issubclass(origin, Mapping):
        return {key: decode(arguments[1], item, registries, where=f"{where}.{key}") for key, item in stored.items()}
    if dataclasses.is_dataclass(hint):
        return decode(hint, stored, registries, where=where)
    return _decode_scalar(hint, stored, where)


def _decode_union(options: tuple, stored: Any, registries: Mapping[str, Registry], where: str) -> Any:
    if stored is None and type(None) in options:
        return None
    problems = []
    for option in options:
        if option is type(None):
            continue
        try:
            return decode(option, stored, registries, where=where)
        except ConfigError as problem:
            problems.append(str(problem))
    raise ConfigError(problems[0])


def _decode_tuple(arguments: tuple, stored: Any, registries: Mapping[str, Registry], where: str) -> tuple:
    if not isinstance(stored, (list, tuple)):
        raise ConfigError(f"{where} should be a list, got {stored!r}.")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        arguments = (arguments[0],) * len(stored)
    if len(arguments) != len(stored):
        raise ConfigError(f"{where} should have {len(arguments)} items, got {len(stored)}.")
    pairs = enumerate(zip(arguments, stored, strict=True))
    return tuple(decode(hint, item, registries, where=f"{where}[{i}]") for i, (hint, item) in pairs)


def _decode_scalar(hint: Any, stored: Any, where: str) -> Any:
    if hint is Any or not isinstance(hint, type):
        return stored
    if issubclass(hint, enum.Enum):
        return hint[stored]
    if hint is Path:
        return Path(stored)
    if hint is float and isinstance(stored, int) and not isinstance(stored, bool):
        return float(stored)
    if not isinstance(stored, hint) or (hint is int and isinstance(stored, bool)):
        raise ConfigError(f"{where} should be {hint.__name__}, got {stored!r}.")
    return stored


def versioned(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Add the version that `unversioned` checks."""
    return {"version": VERSION} | dict(stored)


def unversioned(stored: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Take the version off again; raise `ConfigError` when it was written by a newer Etude."""
    version = stored.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise ConfigError(f"{where} has version {version!r}; this Etude reads up to {VERSION}. Upgrade Etude.")
    return {key: value for key, value in stored.items() if key != "version"}
