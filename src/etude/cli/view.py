"""Commands as tyro should see them: the same fields and words, spelled so that it reads them fast.

tyro checks each default against its type. For `X | None` or a mapping it loads a type checker to do so, which takes a
quarter of the time that `etude record --help` may take; `Union` it understands by itself. And a view checks nothing
when it is made: what a user got wrong is said by `restore`, in the command's own words.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, Union

C = TypeVar("C")
MISSING = dataclasses.MISSING


def view(cls: Any, default: Any = MISSING) -> Any:
    """Give the view of a dataclass, nested ones included, with the values of the instance `default` as its defaults."""
    hints = typing.get_type_hints(cls, include_extras=True)
    namespace: dict[str, Any] = {
        "__annotations__": {},
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
        "__post_init__": lambda _: None,
    }
    for field in dataclasses.fields(cls):
        value = _default(field) if default is MISSING else getattr(default, field.name)
        is_nested = dataclasses.is_dataclass(hints[field.name])
        namespace["__annotations__"][field.name] = (
            view(hints[field.name], value) if is_nested else _spelled(hints[field.name], value)
        )
        namespace[field.name] = _field(MISSING if is_nested else value)
    return dataclasses.dataclass(frozen=True, kw_only=True)(type(cls.__name__, (cls,), namespace))


def restore(cls: type[C], seen: Any, hints: Mapping[str, Any] | None = None) -> C:
    """Make a `cls` of what was read through its view, checks included; `hints` replace its own fields' types."""
    hints = hints or typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(typing.cast("Any", cls)):
        value = getattr(seen, field.name)
        is_nested = dataclasses.is_dataclass(hints[field.name])
        values[field.name] = restore(hints[field.name], value) if is_nested else value
    return cls(**values)


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _field(value: Any) -> Any:
    return dataclasses.field() if value is MISSING else dataclasses.field(default_factory=lambda: value)


def _spelled(hint: Any, value: Any) -> Any:
    from tyro.conf import Fixed, Suppress

    if isinstance(hint, types.UnionType):
        options = typing.get_args(hint)
        return Union[tuple(sorted(options, key=lambda option: option is not type(None)))]  # noqa: UP007
    if isinstance(value, Mapping) and (not value or hint == dict[str, Any]):
        return Annotated[dict, Suppress, Fixed]
    return hint
