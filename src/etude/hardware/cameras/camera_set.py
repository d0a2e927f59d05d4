"""The cameras of a robot, as one thing that is connected, read and asked how it is doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from typing import Any

from etude.core.frame import IMAGES, Frame
from etude.core.spec import Specs
from etude.hardware import cameras
from etude.hardware.cameras.source import COLOUR, Pictures
from etude.hardware.device import Camera
from etude.hardware.health import CameraHealth


class CameraSet:
    """Cameras by name, whose pictures become entries of an observation.

    A camera that sees more than colour has `specs` and `read_all()`, both by what its name is followed by; a depth
    camera called `top` gives `observation.images.top` and `observation.images.top_depth`.
    """

    def __init__(self, configs: Mapping[str, Any]) -> None:
        self.cameras: dict[str, Camera] = {name: cameras.build(config) for name, config in configs.items()}
        self.times: dict[str, float] = {}
        """When each picture of the last reading was taken, by key [s]."""
        self._open = ExitStack()

    @cached_property
    def specs(self) -> Specs:
        """What the pictures look like, by key; a camera whose config does not say it is asked once."""
        return {
            IMAGES + name + suffix: spec
            for name, camera in self.cameras.items()
            for suffix, spec in _specs(camera).items()
        }

    def connect(self) -> None:
        """Connect every camera, or none."""
        with ExitStack() as opened:
            for camera in self.cameras.values():
                opened.callback(camera.disconnect)
                camera.connect()
            self._open = opened.pop_all()

    def disconnect(self) -> None:
        """Disconnect every camera; harmless when they are not connected."""
        opened, self._open = self._open, ExitStack()
        opened.close()

    def read(self) -> Frame:
        """Give the newest picture of every camera, by key."""
        frame: Frame = {}
        times: dict[str, float] = {}
        for name, camera in self.cameras.items():
            for suffix, picture in _read(camera).items():
                frame[IMAGES + name + suffix] = picture
                times[IMAGES + name + suffix] = camera.taken_at
        self.times = times
        return frame

    def health(self) -> dict[str, CameraHealth]:
        """Tell how each camera is doing, by name."""
        return {name: camera.health() for name, camera in self.cameras.items()}


def _specs(camera: Camera) -> Specs:
    specs: Specs | None = getattr(camera, "specs", None)
    return {COLOUR: camera.spec} if specs is None else specs


def _read(camera: Camera) -> Pictures:
    read_all: Callable[[], Pictures] | None = getattr(camera, "read_all", None)
    return read_all() if read_all else {COLOUR: camera.read()}
