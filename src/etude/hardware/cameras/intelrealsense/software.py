"""Frames without a camera, out of the SDK's software device: for tests, and for programs that make their own."""

# pyright: reportAttributeAccessIssue=false
# The SDK tells type checkers nothing about its compiled half.

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from etude.core.errors import CameraError
from etude.hardware.cameras.intelrealsense.pipeline import rs

_PERIOD_S = 0.002
_LOOK_MS = 20

Made = tuple[np.ndarray, np.ndarray]
"""Colours, uint8 (height, width, 3), and distances in the device's unit, uint16 (height, width)."""


class SoftwareFrames:
    """What `make` gives for 1, 2, 3, ... comes out of the SDK as sets of frames of one instant."""

    def __init__(self, make: Callable[[int], Made], *, unit_m: float = 0.001, baseline_m: float = 0.0) -> None:
        """Look `make(0)`'s size up; the colour camera is `baseline_m` to the left of the depth camera."""
        self._make, self._unit_m = make, unit_m
        self._height, self._width, _ = make(0)[0].shape
        self._device = rs.software_device()
        self._depth, self._colour = self._device.add_sensor("Depth"), self._device.add_sensor("Color")
        self._depth.add_read_only_option(rs.option.depth_units, unit_m)
        self._depth_profile = self._add_stream(self._depth, rs.stream.depth, rs.format.z16, 2)
        self._colour_profile = self._add_stream(self._colour, rs.stream.color, rs.format.rgb8, 3)
        beside = rs.extrinsics()
        beside.rotation, beside.translation = [1, 0, 0, 0, 1, 0, 0, 0, 1], [baseline_m, 0, 0]
        self._depth_profile.register_extrinsics_to(self._colour_profile, beside)
        self._device.create_matcher(rs.matchers.dlr_c)
        self._syncer: rs.syncer | None = None
        self._number = 0
        self.num_starts = 0
        self.is_plugged = True

    def start(self) -> None:
        """Begin; raise `CameraError` while it is unplugged."""
        if not self.is_plugged:
            raise CameraError("software", "it was unplugged.")
        self.num_starts += 1
        self._syncer = rs.syncer()
        for sensor, profile in ((self._depth, self._depth_profile), (self._colour, self._colour_profile)):
            sensor.open(profile)
            sensor.start(self._syncer)

    def wait(self, timeout_s: float) -> Any | None:
        """Make the next frames and give what the SDK makes of them."""
        syncer = self._syncer
        if syncer is None or not self.is_plugged:
            return None
        threading.Event().wait(_PERIOD_S)
        self._number += 1
        colour, depth = self._make(self._number)
        self._send(self._depth, self._depth_profile, depth, 2)
        self._send(self._colour, self._colour_profile, colour, 3)
        for _ in range(round(timeout_s * 1000 / _LOOK_MS)):
            ok, frames = syncer.try_wait_for_frames(_LOOK_MS)
            if ok:
                return frames
            if self._syncer is None:
                break
        return None

    def stop(self) -> None:
        """End; harmless when it was not started."""
        syncer, self._syncer = self._syncer, None
        if syncer:
            for sensor in (self._depth, self._colour):
                sensor.stop()
                sensor.close()

    def _add_stream(self, sensor: Any, kind: Any, form: Any, num_bytes: int) -> Any:
        stream, lens = rs.video_stream(), rs.intrinsics()
        stream.type, stream.fmt, stream.bpp, stream.uid = kind, form, num_bytes, num_bytes
        stream.width, stream.height, stream.fps, stream.index = self._width, self._height, 30, 0
        lens.width, lens.height = self._width, self._height
        lens.ppx, lens.ppy = self._width / 2, self._height / 2
        lens.fx = lens.fy = self._width
        lens.model, lens.coeffs = rs.distortion.none, [0.0] * 5
        stream.intrinsics = lens
        return sensor.add_video_stream(stream)

    def _send(self, sensor: Any, profile: Any, pixels: np.ndarray, num_bytes: int) -> None:
        frame = rs.software_video_frame()
        frame.pixels, frame.bpp, frame.stride = pixels, num_bytes, num_bytes * self._width
        frame.timestamp, frame.domain = self._number * 33.3, rs.timestamp_domain.system_time
        frame.frame_number, frame.profile = self._number, profile.as_video_stream_profile()
        frame.depth_units = self._unit_m
        sensor.on_video_frame(frame)
