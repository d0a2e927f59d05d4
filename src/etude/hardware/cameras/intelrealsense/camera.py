"""An Intel RealSense camera: colours, and distances in millimetres that lie on them."""

# pyright: reportAttributeAccessIssue=false
# The SDK tells type checkers nothing about its compiled half.

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from etude.core.errors import CameraError
from etude.core.spec import Specs
from etude.hardware.cameras.intelrealsense.config import Config
from etude.hardware.cameras.intelrealsense.pipeline import Frames, UsbFrames, rs
from etude.hardware.cameras.live import LiveCamera
from etude.hardware.cameras.shape import check_size, size_before, turned
from etude.hardware.cameras.source import COLOUR, DEPTH, Pictures, colour_spec, depth_spec

_FARTHEST_MM = 2**16


def build(config: Config, frames: Frames | None = None) -> LiveCamera:
    """Make the camera; it is not connected yet. `frames` replaces the camera on USB."""
    source = RealSenseSource(config, frames or UsbFrames(config))
    return LiveCamera(source, grace_s=config.grace_s, warmup_s=config.warmup_s)


class RealSenseSource:
    """Sets of frames, turned into pictures."""

    def __init__(self, config: Config, frames: Frames) -> None:
        self._config, self._frames = config, frames
        self.name = config.serial_number_or_name
        self._size = size_before(config.width, config.height, config.rotation)
        self._align = rs.align(rs.stream.color)
        self.specs: Specs = {COLOUR: colour_spec(config.width, config.height)} if config.use_rgb else {}
        if config.use_depth:
            self.specs = {**self.specs, DEPTH: depth_spec(config.width, config.height)}

    def open(self) -> None:
        """Start the camera."""
        self._frames.start()

    def grab(self) -> Pictures:
        """Wait for the next pictures; those that lack one of their parts are passed over."""
        while True:
            frames = self._frames.wait(self._config.timeout_s)
            if frames is None:
                raise CameraError(self.name, "it gives no pictures. Check its cable, and that the port is USB 3.")
            pictures = self._pictures(frames)
            if pictures.keys() == self.specs.keys():
                return pictures

    def interrupt(self) -> None:
        """Make a `grab` that waits in another thread return."""
        self._frames.stop()

    def close(self) -> None:
        """Stop the camera."""
        self._frames.stop()

    def _pictures(self, frames: Any) -> dict[str, np.ndarray]:
        config = self._config
        has_both = bool(frames.get_color_frame()) and bool(frames.get_depth_frame())
        if config.use_rgb and config.use_depth:
            if not has_both:
                return {}
            frames = self._align.process(frames)
        pictures: dict[str, np.ndarray] = {}
        if config.use_rgb and (colour := frames.get_color_frame()):
            pictures[COLOUR] = self._shaped(self._in_order(np.asanyarray(colour.get_data())))
        if config.use_depth and (depth := frames.get_depth_frame()):
            pictures[DEPTH] = self._shaped(_millimetres(np.asanyarray(depth.get_data()), depth.get_units())[..., None])
        return pictures

    def _in_order(self, picture: np.ndarray) -> np.ndarray:
        """Copy the picture out of the SDK's memory, red or blue first as wanted."""
        if self._config.color_format.startswith(self._config.color_mode):
            return picture.copy()
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)

    def _shaped(self, picture: np.ndarray) -> np.ndarray:
        check_size(self.name, picture, *self._size)
        return turned(picture, self._config.rotation)


def _millimetres(depth: np.ndarray, unit_m: float) -> np.ndarray:
    """Turn the camera's steps of `unit_m` into millimetres; what is too far for 16 bits becomes 0, not measured."""
    if abs(unit_m - 0.001) < 1e-9:
        return depth.copy()
    millimetres = np.rint(depth * np.float32(unit_m * 1000.0))
    return np.where(millimetres < _FARTHEST_MM, millimetres, 0).astype(np.uint16)
