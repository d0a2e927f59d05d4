"""What happens to a frame on its way into a policy, and to an action on its way out; kept as JSON and safetensors."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from etude.core.codec import decode, encode, unversioned, versioned
from etude.core.errors import CheckpointError, ConfigError
from etude.core.files import atomic, write_json
from etude.core.frame import ACTION
from etude.core.stats import Stats
from etude.transforms.arrays import Array, Values
from etude.transforms.images import ImageToFloat, Resize
from etude.transforms.normalize import Normalize, Unnormalize
from etude.transforms.relative import AbsoluteActions, RelativeActions
from etude.transforms.rename import Rename
from etude.transforms.transform import Transform

TRANSFORMS: Mapping[str, type] = {
    cls.__name__: cls
    for cls in (Rename, Resize, ImageToFloat, RelativeActions, AbsoluteActions, Normalize, Unnormalize)
}
"""Every transform that a stored pipeline may name, but for those below."""
ELSEWHERE: Mapping[str, str] = dict.fromkeys(
    ("HandFromJoints", "StateAsHand", "JointsFromHand"), "etude.hardware.kinematics.transforms"
)
"""Transforms that need more than arrays, and the modules above this one in which they live."""

JSON, TENSORS = "pipeline.json", "pipeline.safetensors"


@dataclass(frozen=True)
class Pipeline:
    """Transforms on the way into a policy and on the way out."""

    inputs: tuple[Transform, ...] = ()
    outputs: tuple[Transform, ...] = ()

    def then(self, inner: Pipeline) -> Pipeline:
        """Wrap `inner`: its inputs run after ours, its outputs before ours."""
        return Pipeline(self.inputs + inner.inputs, inner.outputs + self.outputs)

    def encode(self, frame: Values) -> dict[str, Array]:
        """Give what the policy sees of a frame or batch, action included when there is one."""
        return _run(self.inputs, frame)

    def decode(self, frame: Values, chunk: Array) -> Array:
        """Turn the policy's chunk (..., time, action) into the dataset's units.

        `frame` is the untransformed one that the policy was asked about.
        """
        return _run(self.outputs, dict(frame) | {ACTION: chunk})[ACTION]

    def encode_actions(self, frame: Values, chunk: Array) -> Array:
        """Turn actions in the dataset's units into the policy's: what `decode` undoes, seen from the same `frame`."""
        inverse = tuple(step.inverse() for step in reversed(self.outputs))  # pyright: ignore[reportAttributeAccessIssue]
        return _run(inverse, dict(frame) | {ACTION: chunk})[ACTION]

    def save(self, folder: Path) -> None:
        """Write `pipeline.json` and `pipeline.safetensors` into `folder`."""
        sides = {"inputs": self.inputs, "outputs": self.outputs}
        write_json(folder / JSON, versioned({side: [_describe(one) for one in row] for side, row in sides.items()}))
        tensors = {
            f"{side}.{place}.{name}": array
            for side, row in sides.items()
            for place, one in enumerate(row)
            for name, array in _flatten(getattr(one, "stats", {})).items()
        }
        with atomic(folder / TENSORS) as draft:
            save_file(tensors, draft)

    @classmethod
    def load(cls, folder: Path) -> Pipeline:
        """Read what `save` wrote; raise `CheckpointError` when it is damaged or names an unknown transform."""
        try:
            stored = unversioned(json.loads((folder / JSON).read_text(encoding="utf-8")), JSON)
            tensors = load_file(folder / TENSORS)
            return cls(*(_restore(side, stored[side], tensors) for side in ("inputs", "outputs")))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise CheckpointError(folder / JSON, f"the pipeline cannot be read: {error}") from error


def _run(transforms: tuple[Transform, ...], frame: Values) -> dict[str, Array]:
    for transform in transforms:
        frame = transform(frame)
    return dict(frame)


def _describe(transform: Transform) -> dict[str, Any]:
    fields = [field.name for field in dataclasses.fields(transform)]  # pyright: ignore[reportArgumentType]
    values = {name: encode(getattr(transform, name)) for name in fields if name != "stats"}
    return {"type": type(transform).__name__} | values


def _restore(side: str, row: list[dict[str, Any]], tensors: Mapping[str, np.ndarray]) -> tuple[Transform, ...]:
    return tuple(_rebuild(one, _below(f"{side}.{place}.", tensors)) for place, one in enumerate(row))


def _rebuild(stored: dict[str, Any], tensors: Mapping[str, np.ndarray]) -> Transform:
    cls = _transform(stored["type"])
    hints = get_type_hints(cls)
    values = {name: value for name, value in stored.items() if name != "type"}
    strange = [name for name in values if name not in hints]
    if strange:
        raise ConfigError(f"{cls.__name__} has no field '{strange[0]}'. Known: {', '.join(hints)}.")
    fields = {name: decode(hints[name], value, where=f"{cls.__name__}.{name}") for name, value in values.items()}
    return cls(**fields, stats=_nest(tensors)) if "stats" in hints else cls(**fields)


def _transform(name: str) -> type:
    if name in ELSEWHERE:
        return getattr(importlib.import_module(ELSEWHERE[name]), name)
    if name not in TRANSFORMS:
        raise ConfigError(f"there is no transform named '{name}'. Known: {', '.join((*TRANSFORMS, *ELSEWHERE))}.")
    return TRANSFORMS[name]


def _below(prefix: str, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _flatten(stats: Mapping[str, Stats]) -> dict[str, np.ndarray]:
    """Name each statistic `<key>.<statistic>`."""
    return {
        f"{key}.{name}": np.asarray(value, np.float64)
        for key, one in stats.items()
        for name, value in one.to_json().items()
    }


def _nest(tensors: Mapping[str, np.ndarray]) -> dict[str, Stats]:
    keys = dict.fromkeys(name.rpartition(".")[0] for name in tensors)
    return {key: Stats.from_json(_below(f"{key}.", tensors)) for key in keys}  # pyright: ignore[reportArgumentType]
