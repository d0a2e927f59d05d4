"""Decoded pictures into arrays, at the size wanted."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter

DEPTH_FORMAT = "gray12le"
"""How pictures of distances are stored: 12-bit codes."""
_SMALL = 0.55
"""Share of the height and width up to which the decoder's scaler gives what averaging RGB does, for a fifth of the
time. Colour is stored at half of both; above that the scaler would enlarge it, and edges between colours would show.
"""


class Scaler:
    """Brings decoded pictures to RGB of one size, and depth pictures to codes. Keep it: preparing it takes long."""

    def __init__(self) -> None:
        self._whole, self._small = VideoReformatter(), VideoReformatter()

    def write(self, frame: av.VideoFrame, picture: np.ndarray) -> None:
        """Put `frame` into `picture`, uint8 (height, width, 3), averaging areas; or uint16 (height, width, 1)."""
        height, width = picture.shape[:2]
        if picture.dtype == np.uint16:
            # The mean of near and far is a distance at which there is nothing.
            whole = frame.to_ndarray(format=DEPTH_FORMAT)
            picture[..., 0] = cv2.resize(whole, (width, height), interpolation=cv2.INTER_NEAREST)
        elif (height, width) == (frame.height, frame.width):
            picture.reshape(height, -1)[:] = self._rgb(frame)
        elif height <= _SMALL * frame.height and width <= _SMALL * frame.width:
            # Colour planes apart: the scaler would average colour over pairs of pixels of a packed picture.
            scaled = self._small.reformat(frame, width, height, "gbrp", interpolation=Interpolation.AREA, threads=1)
            green, blue, red = (_plane(plane, height, width) for plane in scaled.planes)
            cv2.merge((red, green, blue), picture)
        else:
            whole = self._rgb(frame).reshape(frame.height, frame.width, 3)
            picture[:] = resized(whole, height, width)

    def _rgb(self, frame: av.VideoFrame) -> np.ndarray:
        return _plane(self._whole.reformat(frame, format="rgb24", threads=1).planes[0], frame.height, 3 * frame.width)


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a picture (height, width, channels) by averaging areas."""
    if picture.shape[:2] == (height, width):
        return picture
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _plane(plane: VideoPlane, height: int, num_bytes: int) -> np.ndarray:
    """Give a plane's rows, without the bytes that fill them up."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :num_bytes]
