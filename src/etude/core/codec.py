"""Frozen dataclasses to JSON and back, strictly: an unknown key is an error that names the nearest right one."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from etude.core.errors import ConfigError, nearest
from etude.core.registry import Registry

T = TypeVar("T")
Registries = Mapping[str, Registry]
"""Which registry a field's plugins come from, by the field's name."""

VERSION = 1


def encode(value: Any, registries: Registries | None = None) -> Any:
    """Turn a config into plain JSON values; a plugin in a field that `registries` names also stores its `type`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: _encode_field(name, getattr(value, name), registries or {}) for name in names}
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): encode(item, registries) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [encode(item, registries) for item in cast("Sequence[Any]", value)]
    return value


def _encode_field(name: str, value: Any, registries: Registries) -> Any:
    if name in registries and isinstance(value, Mapping):
        plugins = cast("Mapping[Any, Any]", value)
        return {str(key): _encode_field(name, item, registries) for key, item in plugins.items()}
    stored = encode(value, registries)
    if name in registries and dataclasses.is_dataclass(value):
        return {"type": registries[name].name_of(value)} | stored
    return stored


def decode(cls: type[T], stored: Any, registries: Registries | None = None, *, where: str = "config") -> T:
    """Rebuild a `cls` from what `encode` gave; raise `ConfigError` that says where it does not fit."""
    return _decode(cls, stored, registries or {}, where)


def _decode(hint: Any, stored: Any, registries: Registries, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _decode_dataclass(cast("type[Any]", hint), stored, registries, where)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(arguments, stored, registries, where)
    if origin is typing.Literal:
        if stored not in arguments:
            raise ConfigError(f"{where} should be one of {', '.join(map(repr, arguments))}, got {stored!r}.")
        return stored
    if origin is tuple:
        return _decode_tuple(arguments, _list(stored, where), registries, where)
    if origin is list:
        return [_decode(arguments[0], item, registries, f"{where}[{i}]") for i, item in enumerate(_list(stored, where))]
    if origin is not None and issubclass(origin, Mapping):
        items = _object(stored, where).items()
        return {key: _decode(arguments[1], item, registries, f"{where}.{key}") for key, item in items}
    return _decode_scalar(hint, stored, where)


def _decode_dataclass(cls: type[Any], stored: Any, registries: Registries, where: str) -> Any:
    hints = typing.get_type_hints(cls)
    known = {field.name for field in dataclasses.fields(cls) if field.init}
    values: dict[str, Any] = {}
    for key, item in _object(stored, where).items():
        if key not in known:
            near = nearest(key, known)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(sorted(known))}."
            raise ConfigError(f"{where} has no key '{key}'. {hint}")
        values[key] = _decode_slot(key, hints[key], item, registries, f"{where}.{key}")
    try:
        return cls(**values)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def _decode_slot(key: str, hint: Any, stored: Any, registries: Registries, where: str) -> Any:
    """Decode a field; where it holds a plugin, or several by name, the stored `type` says of which class."""
    if key not in registries or not isinstance(stored, Mapping):
        return _decode(hint, stored, registries, where)
    values = dict(cast("Mapping[str, Any]", stored))
    if any(map(_is_mapping, (hint, *typing.get_args(hint)))):
        return {name: _decode_slot(key, Any, item, registries, f"{where}.{name}") for name, item in values.items()}
    if "type" not in values:
        return _decode(hint, stored, registries, where)
    return _decode(registries[key].config(values.pop("type")), values, registries, where)


def _is_mapping(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _decode_union(options: tuple[Any, ...], stored: Any, registries: Registries, where: str) -> Any:
    if stored is None and type(None) in options:
        return None
    problems: list[ConfigError] = []
    for option in options:
        try:
            if option is not type(None):
                return _decode(option, stored, registries, where)
        except ConfigError as problem:
            problems.append(problem)
    raise problems[0]


def _decode_tuple(hints: tuple[Any, ...], stored: Sequence[Any], registries: Registries, where: str) -> Any:
    if len(hints) == 2 and hints[1] is Ellipsis:
        hints = (hints[0],) * len(stored)
    if len(hints) != len(stored):
        raise ConfigError(f"{where} should have {len(hints)} items, got {len(stored)}.")
    pairs = enumerate(zip(hints, stored, strict=True))
    return tuple(_decode(hint, item, registries, f"{where}[{i}]") for i, (hint, item) in pairs)


def _decode_scalar(hint: Any, stored: Any, where: str) -> Any:
    if hint is Any or not isinstance(hint, type):
        return stored
    if issubclass(hint, enum.Enum):
        return hint[_choice(stored, [member.name for member in hint], where)]
    if hint is Path:
        return Path(stored)
    if hint is float and isinstance(stored, int) and not isinstance(stored, bool):
        return float(stored)
    if not isinstance(stored, hint) or (hint is int and isinstance(stored, bool)):
        raise ConfigError(f"{where} should be {hint.__name__}, got {stored!r}.")
    return cast("Any", stored)


def _choice(stored: Any, names: Sequence[str], where: str) -> str:
    if stored not in names:
        raise ConfigError(f"{where} should be one of {', '.join(names)}, got {stored!r}.")
    return stored


def _object(stored: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(stored, Mapping):
        raise ConfigError(f"{where} should be an object, got {type(stored).__name__}.")
    return cast("Mapping[str, Any]", stored)


def _list(stored: Any, where: str) -> Sequence[Any]:
    if not isinstance(stored, list | tuple):
        raise ConfigError(f"{where} should be a list, got {stored!r}.")
    return cast("Sequence[Any]", stored)


def versioned(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Add the version that `unversioned` checks."""
    return {"version": VERSION} | dict(stored)


def unversioned(stored: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Take the version off again; raise `ConfigError` when it was written by a newer Etude."""
    version = stored.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise ConfigError(f"{where} has version {version!r}; this Etude reads up to {VERSION}. Upgrade Etude.")
    return {key: value for key, value in stored.items() if key != "version"}
