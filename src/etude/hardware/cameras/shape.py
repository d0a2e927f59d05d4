"""How a driver's picture becomes the one that was asked for: its size checked, turned, its colours in order."""

from __future__ import annotations

import cv2
import numpy as np

from etude.core.errors import CameraError
from etude.hardware.cameras.source import ColorMode

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def turned(picture: np.ndarray, rotation: int) -> np.ndarray:
    """Turn `picture` clockwise by `rotation` degrees."""
    turn = _TURNS.get(rotation % 360)
    if turn is None:
        return picture
    result = cv2.rotate(picture, turn)
    return result if result.ndim == picture.ndim else result[..., None]


def size_before(width: int, height: int, rotation: int) -> tuple[int, int]:
    """Give the width and height that a camera must take for pictures of `width` x `height` after they are turned."""
    return (height, width) if rotation % 180 else (width, height)


def check_size(camera: str, picture: np.ndarray, width: int, height: int) -> None:
    """Raise `CameraError` unless `picture` is `width` x `height`."""
    if picture.shape[:2] != (height, width):
        got = f"{picture.shape[1]} x {picture.shape[0]}"
        raise CameraError(camera, f"it gives pictures of {got}, not {width} x {height}. Ask for that width and height.")


def in_order(picture: np.ndarray, color_mode: ColorMode) -> np.ndarray:
    """Turn OpenCV's blue-green-red into what is wanted."""
    return picture if color_mode == "bgr" else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
