"""The wire format of `tf.train.Example`: named lists of bytes, floats or integers. Untrusted bytes are bounds-checked.

Example   { features: Features = 1 }
Features  { map<string, Feature> feature = 1 }      an entry is a message { key = 1, value = 2 }
Feature   { BytesList = 1 | FloatList = 2 | Int64List = 3 }, each { repeated value = 1 }
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
BYTES, FLOATS, INTEGERS = 1, 2, 3
"""Kinds of list, by their field number."""
_KINDS = {BYTES: "bytes", FLOATS: "floats", INTEGERS: "integers"}

Span = tuple[int, int]
"""First byte, and the one after the last."""


class Malformed(ValueError):
    """The bytes are no `tf.train.Example`; the message says why."""


def features(data: memoryview, span: Span) -> dict[str, Span]:
    """Find where the value of each feature lies, without reading the values."""
    found: dict[str, Span] = {}
    for part in _messages(data, span, 1):
        for entry in _messages(data, part, 1):
            keys, values = list(_messages(data, entry, 1)), list(_messages(data, entry, 2))
            # An empty key or value is not written at all.
            found[_text(data, keys[-1]) if keys else ""] = values[-1] if values else (0, 0)
    return found


def kind_of(data: memoryview, feature: Span) -> int:
    """Tell what a feature is a list of: `BYTES`, `FLOATS`, `INTEGERS`; 0 when it holds nothing."""
    return next((field for field, _, _ in _fields(data, feature)), 0)


def strings(data: memoryview, feature: Span) -> list[Span]:
    """Find the items of a list of bytes."""
    return [item for part in _lists(data, feature, BYTES) for item in _messages(data, part, 1)]


def floats(data: memoryview, feature: Span) -> np.ndarray:
    """Read a list of floats."""
    parts = [np.empty(0, "<f4")]
    for part in _lists(data, feature, FLOATS):
        for _, wire, (start, stop) in _fields(data, part):
            if wire not in (_BYTES, _FIXED32) or (stop - start) % 4:
                raise Malformed("floats that are cut off")
            parts.append(np.frombuffer(data[start:stop], "<f4"))
    return np.concatenate(parts)


def integers(data: memoryview, feature: Span) -> np.ndarray:
    """Read a list of integers."""
    parts = [np.empty(0, np.int64)]
    for part in _lists(data, feature, INTEGERS):
        for _, wire, (start, stop) in _fields(data, part):
            if wire not in (_BYTES, _VARINT):
                raise Malformed("integers of another wire type")
            parts.append(_varints(np.frombuffer(data[start:stop], np.uint8)))
    return np.concatenate(parts)


def _lists(data: memoryview, feature: Span, kind: int) -> Iterator[Span]:
    found = kind_of(data, feature)
    if found not in (0, kind):
        raise Malformed(f"a list of {_KINDS.get(found, 'something unknown')} where {_KINDS[kind]} are expected")
    return _messages(data, feature, kind)


def _messages(data: memoryview, span: Span, wanted: int) -> Iterator[Span]:
    """Walk the values of one field that are messages, texts or bytes themselves."""
    for field, wire, part in _fields(data, span):
        if field == wanted:
            if wire != _BYTES:
                raise Malformed(f"a field of wire type {wire} where bytes are expected")
            yield part


def _text(data: memoryview, span: Span) -> str:
    try:
        return bytes(data[slice(*span)]).decode()
    except UnicodeDecodeError:
        raise Malformed("a name that is no text") from None


def _fields(data: memoryview, span: Span) -> Iterator[tuple[int, int, Span]]:
    """Walk the fields of a message: number, wire type, and where the value lies."""
    position, end = span
    while position < end:
        tag, position = _varint(data, position, end)
        wire = tag & 7
        if wire == _BYTES:
            length, position = _varint(data, position, end)
            stop = position + length
        elif wire == _VARINT:
            stop = _varint(data, position, end)[1]
        elif wire in (_FIXED32, _FIXED64):
            stop = position + (4 if wire == _FIXED32 else 8)
        else:
            raise Malformed(f"a field of the unknown wire type {wire}")
        if stop > end:
            raise Malformed("a value that is longer than what it lies in")
        yield tag >> 3, wire, (position, stop)
        position = stop


def _varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if position >= end:
            raise Malformed("a number that is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, position
    raise Malformed("a number that never ends")


def _varints(values: np.ndarray) -> np.ndarray:
    """Decode many numbers at once: seven bits per byte, the last byte of each below 128."""
    last = np.flatnonzero(values < 0x80)
    if len(values) and (not len(last) or last[-1] != len(values) - 1):
        raise Malformed("numbers that are cut off")
    first = np.concatenate([[0], last[:-1] + 1]).astype(np.int64)
    sizes = last - first + 1
    if len(sizes) and sizes.max() > _LONGEST_VARINT:
        raise Malformed("a number that never ends")
    decoded = np.zeros(len(last), np.uint64)
    for place in range(int(sizes.max(initial=0))):
        here = sizes > place
        decoded[here] |= (values[first[here] + place] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * place)
    return decoded.view(np.int64)
