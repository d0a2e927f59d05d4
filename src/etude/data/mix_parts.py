"""The datasets that make a mix, and whether they go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from etude.core.errors import ConfigError, NotFound
from etude.core.spec import Spec
from etude.data.dataset import Dataset
from etude.data.episodes import Episodes


@dataclass(frozen=True, kw_only=True)
class Part:
    """One dataset of a mix."""

    dataset: Dataset
    episodes: Episodes
    """Those that are used."""
    weight: float = 1.0
    rename: Mapping[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def keys(self) -> dict[str, str]:
        """The part's own name of each key, by its name in the mix."""
        keys: dict[str, str] = {}
        for key in (*self.dataset.specs, *self.dataset.text_keys):
            name = self.rename.get(key, key)
            if name in keys:
                raise ConfigError(f"The mix calls two keys of {self.dataset.root} '{name}': {keys[name]} and {key}.")
            keys[name] = key
        return keys

    def spec(self, key: str) -> Spec | None:
        """Give the spec of a key of the mix; none when the part lacks it."""
        return self.dataset.specs.get(self.keys.get(key, ""))


def same_fps(parts: Sequence[Part]) -> int:
    """Give the frame rate that all have; raise `ConfigError` when they differ."""
    rates = {part.dataset.fps: part.dataset.root for part in parts}
    if len(rates) > 1:
        told = ", ".join(f"{fps} in {root}" for fps, root in rates.items())
        raise ConfigError(
            f"The datasets have different frame rates: {told}. Frames of different rates are not alike; state the "
            "mix's 'fps' to take them as they are."
        )
    return next(iter(rates))


def shared_keys(parts: Sequence[Part], fill: Sequence[str], leave_out: Sequence[str]) -> list[str]:
    """Give the keys of the mix; refuse one that a dataset lacks and nobody said what to do about."""
    keys = list(dict.fromkeys(key for part in parts for key, own in part.keys.items() if own in part.dataset.specs))
    unknown = [key for key in (*fill, *leave_out) if key not in keys]
    if unknown:
        raise NotFound("key in the mix", unknown[0], keys)
    kept = [key for key in keys if key not in leave_out]
    for key in kept:
        lacking = [part for part in parts if part.spec(key) is None]
        if lacking and key not in fill:
            raise ConfigError(
                f"{lacking[0].dataset.root} has no '{key}', which another dataset of the mix has; it has "
                f"{', '.join(lacking[0].keys)}. Rename one of its keys, or name '{key}' in 'fill' or in 'leave_out'."
            )
    return kept


def joined(key: str, specs: Sequence[Spec | None]) -> Spec:
    """Give the spec that holds the values of all `specs`: the first picture's, or the longest vector's."""
    there = [spec for spec in specs if spec is not None]
    first, longest = there[0], max(there, key=lambda spec: spec.shape)
    if len({(spec.is_image, spec.is_depth, len(spec.shape)) for spec in there}) > 1:
        raise ConfigError(f"'{key}' is {' here and '.join(dict.fromkeys(map(str, there)))} there. Rename one of them.")
    if is_camera(first):
        return first
    if len(first.shape) != 1 and any(spec.shape != first.shape for spec in there):
        raise ConfigError(f"'{key}' is {' here and '.join(map(str, there))} there; only vectors are padded.")
    return replace(longest, dtype=str(np.result_type(*(spec.dtype for spec in there))))


def width(part: Part, key: str) -> int:
    """Give how many elements of a key a dataset has; pictures and arrays count as one."""
    spec = part.spec(key)
    if spec is None:
        return 0
    return spec.shape[0] if len(spec.shape) == 1 else 1


def is_camera(spec: Spec) -> bool:
    """Whether a key holds pictures, of colours or of distances."""
    return spec.is_image or spec.is_depth


def mask_spec(spec: Spec) -> Spec:
    """Give the spec of the column that tells which elements are real: one per element, or one for a picture."""
    is_vector = len(spec.shape) == 1
    return Spec(shape=spec.shape if is_vector else (1,), dtype="bool", names=spec.names if is_vector else ())
