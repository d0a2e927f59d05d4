"""The compact protocol of Apache Thrift, in which Parquet writes its page headers and its footer.

Facts: thrift's `doc/specs/thrift-compact-protocol.md`. Reading trusts nothing: what does not fit raises `Malformed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_STOP = 0
_MOST_NESTED, _MOST_VARINT_BYTES = 16, 10


class Malformed(ValueError):
    """The bytes are no Thrift structure, or not all of it is there."""


class Field(NamedTuple):
    """One field of a structure, its value as coded."""

    number: int
    kind: int
    value: bytes


class _Span(NamedTuple):
    number: int
    kind: int
    value: Any
    start: int
    stop: int


Struct = dict[int, Any]
"""Values by field number: bool, int, bytes, list, or a structure again."""


def read(data: memoryview, at: int) -> tuple[Struct, int]:
    """Read the structure that starts at `at`; give it and where it ends."""
    return _struct(data, at, 0)


def fields(data: memoryview, at: int) -> list[Field]:
    """Split the structure that starts at `at` into its fields."""
    return [Field(span.number, span.kind, bytes(data[span.start : span.stop])) for span in _spans(data, at, 0)]


def write(parts: Iterable[Field]) -> bytes:
    """Code a structure."""
    coded, last = bytearray(), 0
    for part in sorted(parts):
        step = part.number - last
        coded += bytes([step << 4 | part.kind]) if 0 < step < 16 else bytes([part.kind]) + integer(part.number)
        coded += part.value
        last = part.number
    return bytes(coded) + bytes([_STOP])


def integer(value: int) -> bytes:
    """Code a whole number of any width."""
    return _unsigned(value << 1 if value >= 0 else (-value << 1) - 1)


def binary(value: bytes) -> bytes:
    """Code bytes or text."""
    return _unsigned(len(value)) + value


def sequence(kind: int, items: Sequence[bytes]) -> bytes:
    """Code a list of coded items."""
    count = len(items)
    head = bytes([count << 4 | kind]) if count < 15 else bytes([0xF0 | kind]) + _unsigned(count)
    return head + b"".join(items)


def _unsigned(value: int) -> bytes:
    coded = bytearray()
    while value > 0x7F:
        coded.append(value & 0x7F | 0x80)
        value >>= 7
    coded.append(value)
    return bytes(coded)


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Read an unsigned number; give it and where it ends."""
    value = 0
    for place in range(_MOST_VARINT_BYTES):
        byte = _byte(data, at + place)
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise Malformed("a number that does not end")


def _byte(data: memoryview, at: int) -> int:
    if at >= len(data):
        raise Malformed("the bytes end within a structure")
    return data[at]


def _signed(data: memoryview, at: int) -> tuple[int, int]:
    value, at = varint(data, at)
    return value >> 1 ^ -(value & 1), at


def _struct(data: memoryview, at: int, depth: int) -> tuple[Struct, int]:
    found: Struct = {}
    for span in _spans(data, at, depth):
        found[span.number], at = span.value, span.stop
    return found, at + 1


def _spans(data: memoryview, at: int, depth: int) -> Iterator[_Span]:
    """Walk over the fields; the byte after the last one ends the structure."""
    if depth > _MOST_NESTED:
        raise Malformed("nested too deep")
    number = 0
    while (head := _byte(data, at)) != _STOP:
        step, kind = head >> 4, head & 0x0F
        at += 1
        if step:
            number += step
        else:
            number, at = _signed(data, at)
        # A field that is true or false says so by its kind, and has no bytes.
        value, stop = (kind == TRUE, at) if kind in (TRUE, FALSE) else _value(data, at, kind, depth)
        yield _Span(number, kind, value, at, stop)
        at = stop


def _value(data: memoryview, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (I16, I32, I64):
        return _signed(data, at)
    if kind == STRUCT:
        return _struct(data, at, depth + 1)
    if kind == BINARY:
        length, at = varint(data, at)
        return _bytes(data, at, length)
    if kind in (LIST, SET):
        return _items(data, at, depth + 1)
    if kind in (BYTE, TRUE, FALSE):
        return _byte(data, at), at + 1
    if kind == DOUBLE:
        return _bytes(data, at, 8)
    raise Malformed(f"a field of kind {kind}")


def _bytes(data: memoryview, at: int, length: int) -> tuple[bytes, int]:
    if length > len(data) - at:
        raise Malformed("the bytes end within a structure")
    return bytes(data[at : at + length]), at + length


def _items(data: memoryview, at: int, depth: int) -> tuple[list[Any], int]:
    head = _byte(data, at)
    count, kind, at = head >> 4, head & 0x0F, at + 1
    if count == 15:
        count, at = varint(data, at)
    if count > len(data) - at or depth > _MOST_NESTED:
        raise Malformed("a list longer than the bytes there are")
    items: list[Any] = []
    for _ in range(count):
        item, at = _value(data, at, kind, depth)
        items.append(item)
    return items, at
