"""Where a camera's pictures come from: what every driver of a camera implements, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np

from etude.core.errors import CameraError
from etude.core.spec import Spec

Pictures = Mapping[str, np.ndarray]
"""What a camera sees at one instant, by what its name is followed by: nothing for colours, `_depth` for distances."""

COLOUR, DEPTH = "", "_depth"

Rotation = Literal[0, 90, 180, 270, -90]
"""How far pictures are turned clockwise [degrees]; LeRobot writes -90 for 270."""
ColorMode = Literal["rgb", "bgr"]


class Ended(CameraError):
    """A film is over: opening it again would not help."""


class Source(Protocol):
    """A driver: it opens, waits for pictures and closes. Threads, health and reopening are not its business."""

    name: str
    """What a person calls it: a number, a path, an address."""

    @property
    def specs(self) -> Mapping[str, Spec]:
        """What its pictures look like; empty until it was open where the config does not say it."""
        ...

    def open(self) -> None:
        """Open the camera; raise `CameraError` with a reason when it is not there."""
        ...

    def grab(self) -> Pictures:
        """Wait for the next pictures; raise `CameraError` when there are none, `Ended` when there never will be."""
        ...

    def interrupt(self) -> None:
        """Make a `grab` that waits in another thread return soon, if that is possible."""
        ...

    def close(self) -> None:
        """Close the camera; harmless when it is not open."""
        ...


def colour_spec(width: int, height: int) -> Spec:
    """Describe a colour picture."""
    return Spec(shape=(height, width, 3), dtype="uint8", names=("height", "width", "channels"))


def depth_spec(width: int, height: int) -> Spec:
    """Describe a picture of distances in millimetres; 0 where nothing was measured."""
    return Spec(shape=(height, width, 1), dtype="uint16", names=("height", "width", "channels"), unit="mm")
