"""The episodes of an RLDS dataset in their files: arrays and pictures of the steps, read when asked for."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from etude.core.errors import DatasetError
from etude.data.dataset import Problem
from etude.data.foreign.naming import Selection, joined
from etude.data.formats.rlds import example
from etude.data.formats.rlds.example import Malformed, Span
from etude.data.formats.rlds.records import Record, mapped, records, verify
from etude.data.formats.rlds.schema import Leaf

_AGAIN = "Copy the file again."


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One record that holds an episode."""

    record: Record
    length: int
    text: str
    """Its task, as its first step tells it; empty when none does."""


class Files:
    """The records of one split."""

    def __init__(
        self,
        paths: Sequence[Path],
        promised: Sequence[int],
        episodes: Sequence[Episode],
        leaves: Mapping[str, Leaf],
        selection: Selection,
    ) -> None:
        self._paths, self._promised, self._episodes = paths, promised, episodes
        self._leaves, self._selection = leaves, selection
        self._verified: set[int] = set()

    def column(self, key: str) -> np.ndarray:
        """Read one key over all episodes."""
        leaves = [self._leaves[name] for name in self._selection.sources[key]]
        rows = [self._arrays(number, leaves) for number in range(len(self._episodes))]
        return joined([np.concatenate(parts) for parts in zip(*rows, strict=True)], self._selection.specs[key])

    def pictures(self, key: str, episode: int, ticks: np.ndarray) -> Iterator[np.ndarray]:
        """Decode pictures of one episode."""
        leaf, record = self._leaves[self._selection.sources[key][0]], self._episodes[episode].record
        with self._opened(episode) as (data, features):
            items = example.strings(data, features.get(leaf.feature, (0, 0)))
            for tick in ticks.tolist():
                picture = decoded(data, items[tick] if tick < len(items) else (0, 0))
                if picture is None or picture.shape != self._selection.specs[key].shape:
                    raise DatasetError(record.path, _no_picture(record, leaf, tick, picture))
                yield picture

    def identity(self, episode: int) -> str:
        """Tell a record by its file and place."""
        record = self._episodes[episode].record
        stat = record.path.stat()
        return f"{record.path.name} {stat.st_size} {stat.st_mtime_ns} {record.start}"

    def check(self) -> Iterator[Problem]:
        """Compare the files with the counts that were written down, and every record with its checksum."""
        for path, promised in zip(self._paths, self._promised, strict=False):
            if (count := len(records(path))) != promised:
                yield Problem(what=f"holds {count} records, not {promised}", where=str(path), remedy=_AGAIN)
        for number, episode in enumerate(self._episodes):
            try:
                with self._opened(number):
                    pass
            except DatasetError as error:
                what, _, remedy = error.problem.partition(". ")
                yield Problem(what=what, where=str(episode.record.path), remedy=remedy)

    def _arrays(self, number: int, leaves: Sequence[Leaf]) -> list[np.ndarray]:
        with self._opened(number) as (data, features):
            return [array(data, features, leaf, self._episodes[number].length) for leaf in leaves]

    @contextmanager
    def _opened(self, number: int) -> Iterator[tuple[memoryview, Mapping[str, Span]]]:
        """Find the features of a record; its checksum is verified the first time."""
        record = self._episodes[number].record
        with mapped(record.path) as data, understood(record):
            if number not in self._verified:
                verify(record, data)
                self._verified.add(number)
            yield data, example.features(data, record.span)


def outlined(record: Record, data: memoryview, leaves: Sequence[Leaf], instruction: Leaf | None) -> Episode:
    """Tell a record's number of steps and its task, reading neither pictures nor long arrays."""
    with understood(record):
        features = example.features(data, record.span)
        counts = (_count(data, features[leaf.feature], leaf) for leaf in leaves if leaf.feature in features)
        length = next((count for count in counts if count is not None), 0)
        texts = example.strings(data, features.get(instruction.feature, (0, 0))) if instruction and length else []
        text = bytes(data[slice(*texts[0])]).decode(errors="replace") if texts else ""
        return Episode(record=record, length=length, text=text.strip())


def array(data: memoryview, features: Mapping[str, Span], leaf: Leaf, length: int) -> np.ndarray:
    """Read one array of all steps: (steps, *shape)."""
    feature = features.get(leaf.feature, (0, 0))
    if leaf.encoding in ("bytes", "zlib"):
        items = [bytes(data[slice(*item)]) for item in example.strings(data, feature)]
        values = np.concatenate([np.empty(0, leaf.dtype), *(_unpacked(item, leaf) for item in items)])
    elif np.dtype(leaf.dtype).kind == "f":
        values = example.floats(data, feature)
    else:
        values = example.integers(data, feature)
    wanted = length * math.prod(leaf.shape)
    if len(values) != wanted:
        raise Malformed(f"{len(values)} numbers of '{leaf.name}' where {length} steps should have {wanted}")
    return values.reshape(length, *leaf.shape)


def decoded(data: memoryview, item: Span) -> np.ndarray | None:
    """Decode a JPEG or PNG picture, RGB; nothing when it is damaged."""
    start, stop = item
    return cv2.imdecode(np.frombuffer(data[start:stop] or b"\0", np.uint8), cv2.IMREAD_COLOR_RGB)


@contextmanager
def understood(record: Record) -> Iterator[None]:
    """Name the record in which bytes are no `tf.train.Example`."""
    try:
        yield
    except Malformed as error:
        raise DatasetError(record.path, f"{record.where} holds {error}; it is damaged. {_AGAIN}") from error


def _no_picture(record: Record, leaf: Leaf, tick: int, picture: np.ndarray | None) -> str:
    found = "no picture" if picture is None else f"a picture of {picture.shape[0]} x {picture.shape[1]} pixels"
    return f"{record.where} holds {found} as '{leaf.name}' in step {tick}. Leave out that camera with keys."


def _count(data: memoryview, feature: Span, leaf: Leaf) -> int | None:
    """Count the steps by one array; nothing when it does not tell."""
    kind, size = example.kind_of(data, feature), math.prod(leaf.shape)
    if leaf.kind == "tensor" and leaf.encoding == "none" and size > 0:
        values = {example.FLOATS: example.floats, example.INTEGERS: example.integers}.get(kind)
        return len(values(data, feature)) // size if values else None
    return len(example.strings(data, feature)) if kind == example.BYTES and leaf.kind in ("image", "text") else None


def _unpacked(item: bytes, leaf: Leaf) -> np.ndarray:
    """Read one step's array from its bytes, as many as its shape needs and no more."""
    size = math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize
    try:
        raw = zlib.decompressobj().decompress(item, size + 1) if leaf.encoding == "zlib" else item
    except zlib.error as error:
        raise Malformed(f"'{leaf.name}', whose compressed bytes are damaged ({error})") from error
    if len(raw) != size:
        raise Malformed(f"{len(raw)} bytes of '{leaf.name}' where a step should have {size}")
    return np.frombuffer(raw, leaf.dtype)
