"""Pictures on their way into a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etude.core.errors import SpecMismatch
from etude.transforms.arrays import Array, Values, channels_first, to_float


@dataclass(frozen=True, kw_only=True)
class Resize:
    """Bring pictures to `size` (height, width) by averaging areas, uint8 (..., height, width, channel).

    A picture of the right size passes untouched. Datasets resize while they decode, so a batch never needs this.
    """

    keys: tuple[str, ...]
    size: tuple[int, int]

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with resized pictures; raise `SpecMismatch` for a tensor of the wrong size."""
        return dict(frame) | {key: self._one(key, frame[key]) for key in self.keys if key in frame}

    def _one(self, key: str, image: Array) -> Array:
        if tuple(image.shape[-3:-1]) == self.size:
            return image
        if not isinstance(image, np.ndarray):
            raise SpecMismatch(key, f"{self.size[0]}x{self.size[1]} pictures", f"{list(image.shape)}")
        flat = image.reshape(-1, *image.shape[-3:])
        return np.stack([_shrink(picture, self.size) for picture in flat]).reshape(
            *image.shape[:-3], *self.size, image.shape[-1]
        )


def _shrink(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2  # noqa: PLC0415  heavy, and most frames already have the right size

    return cv2.resize(picture, (size[1], size[0]), interpolation=cv2.INTER_AREA)


@dataclass(frozen=True, kw_only=True)
class ImageToFloat:
    """Turn uint8 (..., height, width, channel) into float32 (..., channel, height, width) in 0..1."""

    keys: tuple[str, ...]

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with pictures as a network wants them."""
        present = [key for key in self.keys if key in frame]
        return dict(frame) | {key: to_float(channels_first(frame[key])) / 255 for key in present}
