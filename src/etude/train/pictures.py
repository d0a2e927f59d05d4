"""Training pictures on a processor: from bytes to what the network sees, by one look-up for each value.

A pipeline does the same arithmetic with all values of a channel, of which there are only 256. Doing it with those and
looking every pixel up gives the same digits in a fifth of the time; shifts and brightness come along for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from torch import Tensor

from etude.core.spec import Specs
from etude.nn.augment import Jitter, drawn_shift
from etude.train.options import Augment
from etude.train.samples import jitter_of
from etude.transforms.images import ImageToFloat
from etude.transforms.normalize import Normalize
from etude.transforms.pipeline import ELSEWHERE, TRANSFORMS, Pipeline
from etude.transforms.rename import Rename

_VALUES = 256
_UNCHANGED = Augment(shift_px=0, brightness=0.0)


@dataclass(frozen=True)
class Tables:
    """What a pipeline makes of each value of a camera's pictures, for the cameras where one value decides."""

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the pipeline calls each camera."""
    values: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    """What each value becomes, float32 (value, channel), by the dataset's name of the camera."""

    @classmethod
    def of(cls, pipeline: Pipeline, specs: Specs, augment: Augment) -> Tables:
        """Look at the cameras of `specs`; none is in the tables where the pipeline or `augment` mixes values."""
        jitter = jitter_of(augment)
        is_known = all(type(step).__name__ in {*TRANSFORMS, *ELSEWHERE} for step in pipeline.inputs)
        if not is_known or jitter != Jitter(brightness=jitter.brightness, most_at_once=jitter.most_at_once):
            return cls()
        found = {key: _table(pipeline, key, spec.shape[-1]) for key, spec in specs.items() if spec.is_image}
        chosen = {key: value for key, value in found.items() if value}
        return cls({key: name for key, (name, _) in chosen.items()}, {key: value for key, (_, value) in chosen.items()})

    def encode(
        self, pictures: Mapping[str, np.ndarray], augment: Augment | None, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Give cameras' pictures, uint8 (batch, ..., height, width, channel), as the network sees them.

        They are changed as `augment` says, by the random numbers that `generator` would give `samples.augmented`.
        """
        how = augment or _UNCHANGED
        return {self.names[key]: _looked_up(batch, self.values[key], how, generator) for key, batch in pictures.items()}


def _table(pipeline: Pipeline, key: str, num_channels: int) -> tuple[str, np.ndarray] | None:
    """Give the pipeline's name of a camera and its table; none where a value's place counts, too."""
    ramp = np.broadcast_to(np.arange(_VALUES, dtype=np.uint8)[:, None, None], (_VALUES, 1, num_channels))
    frame = {key: torch.from_numpy(ramp.copy())}
    for step in pipeline.inputs:
        if isinstance(step, Normalize) and any(_depends_on_place(step, name) for name in frame):
            return None
        if isinstance(step, Rename | ImageToFloat | Normalize):
            frame = step(frame)
    ((name, values),) = frame.items()
    if values.shape != (num_channels, _VALUES, 1):
        return None
    return name, np.ascontiguousarray(values[..., 0].T.numpy())


def _depends_on_place(step: Normalize, key: str) -> bool:
    return key in step.modes and key in step.stats and step.stats[key].mean.shape[-2:] != (1, 1)


def _looked_up(batch: np.ndarray, table: np.ndarray, augment: Augment, generator: torch.Generator) -> Tensor:
    pixels, count = augment.shift_px, len(batch)
    shifts = drawn_shift(count, pixels, generator).tolist() if pixels else [(0, 0)] * count
    ramp = torch.arange(_VALUES, dtype=torch.uint8).expand(count, _VALUES)[..., None, None]
    tables = table[jitter_of(augment)(ramp, generator)[..., 0, 0].numpy()]  # (batch, value, channel)
    encoded = torch.empty(batch.shape, dtype=torch.float32)
    for sample, target, shift, own in zip(batch, encoded.numpy(), shifts, tables, strict=True):
        for before, after in zip(_in_a_row(sample), _in_a_row(target), strict=True):
            cv2.LUT(_shifted(before, shift, pixels), own[None], dst=after)
    return encoded.movedim(-1, -3)


def _shifted(picture: np.ndarray, shift: tuple[int, int], most: int) -> np.ndarray:
    if not most:
        return picture
    height, width = picture.shape[:2]
    top, left = (most + each for each in shift)
    padded = cv2.copyMakeBorder(picture, most, most, most, most, cv2.BORDER_REPLICATE)
    return padded[top : top + height, left : left + width]


def _in_a_row(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(-1, *pictures.shape[-3:])
