"""Which arrays of a foreign file make which key of a frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from etude.core.errors import ConfigError, NotFound
from etude.core.frame import IMAGES
from etude.core.spec import Spec

_LARGEST_MATRIX = 16
"""Rows and columns of what is a matrix of numbers; what has more of both is a kind of picture."""
_FLAGS = ("next.done", "next.terminated")
"""Keys that say yes or no, whatever number they are stored as."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One array of a file, as it is for one frame."""

    shape: tuple[int, ...]
    dtype: str
    """As numpy calls it; anything but numbers cannot be read as a column."""
    codec: str = ""
    """How pictures are compressed: `raw`, `jpeg`, `png`; empty for what is no picture."""
    names: tuple[str, ...] = ()
    """What the elements are called, if the format tells."""

    @property
    def is_picture(self) -> bool:
        """Whether this is a picture with three colours."""
        return bool(self.codec) and len(self.shape) == 3 and self.shape[2] == 3


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The keys of a dataset, and what each is made from."""

    specs: Mapping[str, Spec]
    sources: Mapping[str, tuple[str, ...]]
    """Per key, the arrays that are joined to make it."""
    codecs: Mapping[str, str]
    """Per camera."""
    notes: tuple[str, ...]
    """Sentences about what is left out or changed."""


def select(found: Mapping[str, Found], usual: Callable[[str], str], chosen: Mapping[str, str]) -> Selection:
    """Give each array its key: the one `chosen` for it, else the `usual` one; an empty key leaves it out.

    Raises `NotFound` when a chosen array is not there, `ConfigError` when two pictures would share a key.
    """
    lacking = next((name for name in chosen if name not in found), None)
    if lacking is not None:
        raise NotFound("array in the dataset", lacking, found)
    sources: dict[str, tuple[str, ...]] = {}
    order = [*chosen, *(name for name in found if name not in chosen)]
    left_out = [name for name in order if not _is_readable(found[name])]
    for name in order:
        key = chosen.get(name, usual(name)).replace("/", ".")
        if key and name not in left_out:
            sources[key] = (*sources.get(key, ()), name)
    return Selection(
        specs={key: _spec(key, [found[name] for name in names]) for key, names in sources.items()},
        sources=sources,
        codecs={key: found[names[0]].codec for key, names in sources.items() if found[names[0]].is_picture},
        notes=(*_notes_left_out(found, left_out), *_notes_flattened(found, sources)),
    )


def camera(name: str) -> str:
    """Give the key of a camera: `front` and `front_rgb` both become `observation.images.front`."""
    for ending in ("_image", "_images", "_img", "_rgb", "_color"):
        name = name.removesuffix(ending) or name
    return f"{IMAGES}{name}"


def joined(parts: Sequence[np.ndarray], spec: Spec) -> np.ndarray:
    """Join arrays (frames, ...) to one column (frames, n) of this spec, read-only."""
    flat = [np.asarray(part).reshape(len(part), math.prod(part.shape[1:])) for part in parts]
    column = np.concatenate(flat, axis=1).astype(spec.dtype)
    column.flags.writeable = False
    return column


def _is_readable(found: Found) -> bool:
    """Whether this is a picture with three colours, or numbers; depth pictures and maps are neither."""
    if found.codec:
        return found.is_picture
    is_map = len(found.shape) > 2 or (len(found.shape) == 2 and min(found.shape) > _LARGEST_MATRIX)
    return np.dtype(found.dtype).kind in "fiub" and not is_map and math.prod(found.shape) > 0


def _spec(key: str, parts: Sequence[Found]) -> Spec:
    pictures = [part for part in parts if part.is_picture]
    if pictures:
        if len(parts) > 1:
            raise ConfigError(f"'{key}' would be made from {len(parts)} arrays, a picture among them. Give it one.")
        return Spec(shape=parts[0].shape, dtype="uint8")
    names = tuple(name for part in parts for name in part.names)
    size = sum(math.prod(part.shape) for part in parts)
    return Spec(shape=(size,), dtype=_dtype(key, parts), names=names if len(names) == size else ())


def _dtype(key: str, parts: Iterable[Found]) -> str:
    """Choose what holds all parts; numbers with a fraction are float32, as policies and LeRobot have them."""
    common = np.result_type(*(part.dtype for part in parts))
    if key in _FLAGS:
        return "bool"
    return "float32" if common.kind == "f" else common.name


def _notes_left_out(found: Mapping[str, Found], names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    listed = ", ".join(f"{name} ({found[name].dtype}{list(found[name].shape)})" for name in names)
    return (f"Left out, being neither numbers nor pictures with three colours: {listed}.",)


def _notes_flattened(found: Mapping[str, Found], sources: Mapping[str, Sequence[str]]) -> Iterable[str]:
    for key, names in sources.items():
        for name in names:
            shape = found[name].shape
            if len(shape) > 1 and not found[name].is_picture:
                yield f"{name} {list(shape)} is read as {math.prod(shape)} numbers in '{key}'."
