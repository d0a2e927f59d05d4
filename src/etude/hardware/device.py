"""What every device promises. Hardware drivers and simulated devices keep the same promises, and nobody can tell."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Protocol, Self, runtime_checkable

import numpy as np

from etude.core.clock import Clock
from etude.core.frame import Frame
from etude.core.spec import Spec, Specs
from etude.hardware.health import CameraHealth, Health


@runtime_checkable
class Device(Protocol):
    """Something that connects and disconnects."""

    def connect(self) -> None:
        """Open the device; raise `DeviceError` with a reason when it is not there."""
        ...

    def disconnect(self) -> None:
        """Leave the device safe and close it; harmless when it is not connected."""
        ...


@runtime_checkable
class Scene(Protocol):
    """What surrounds a simulated robot: a time of its own, and a table that sets itself."""

    clock: Clock
    observation: Specs
    """What it tells of itself besides what the robot sees; mostly nothing."""
    num_resets: int
    """How often it was set."""

    def reset(self, seed: int) -> None:
        """Place the arm and the objects as `seed` says."""
        ...

    def observe(self) -> Frame:
        """Tell what `observation` promises."""
        ...

    def success(self) -> bool:
        """Whether the task is achieved right now."""
        ...


@runtime_checkable
class Line(Protocol):
    """A serial line: bytes out, bytes in."""

    name: str
    scene: Scene | None
    """The world behind a simulated line; none behind a real one."""

    def open(self) -> Self:
        """Open the line; raise `DeviceError` when there is none of that name."""
        ...

    def write(self, data: bytes) -> None:
        """Send `data`."""
        ...

    def read(self, size: int, timeout_s: float) -> bytes:
        """Receive up to `size` bytes, fewer when `timeout_s` passes first."""
        ...

    def discard(self) -> None:
        """Forget what was received and not read."""
        ...

    def set_baud_rate(self, baud_rate: int) -> None:
        """Go on at another rate [bits/s]; before the line is open, begin with it."""
        ...

    def close(self) -> None:
        """Close the line."""
        ...


@runtime_checkable
class Robot(Device, Protocol):
    """One physical unit that is observed and moved."""

    name: str
    """As LeRobot writes it into datasets, such as `so_follower`."""
    observation: Specs
    action: Spec
    scene: Scene | None
    camera_times: Mapping[str, float]
    """When each picture of the last observation was taken, on the clock that the robot is run by [s]."""
    clipped: tuple[str, ...]
    """Why the last applied action is another than the one asked for."""
    events: tuple[str, ...]
    """What went wrong since the observation before the last: answers that were missing, a trip of the safety gate."""

    def observe(self) -> Frame:
        """Read joints and cameras now."""
        ...

    def apply(self, action: np.ndarray) -> np.ndarray:
        """Command the joints, after limits; give back what was really commanded."""
        ...

    def health(self) -> Health:
        """Tell how the robot is doing, as last heard; asking costs nothing."""
        ...


@runtime_checkable
class Teleoperator(Device, Protocol):
    """A device that turns a person's motion into actions."""

    action: Spec

    def reset(self, seed: int) -> None:
        """Get ready for the next episode."""
        ...

    def read(self) -> np.ndarray | None:
        """Give the action wanted now, or none when the demonstration is over."""
        ...


@runtime_checkable
class Camera(Device, Protocol):
    """A source of pictures."""

    @property
    def spec(self) -> Spec:
        """What its pictures look like."""
        ...

    def read(self) -> np.ndarray:
        """Give the newest picture, uint8 (height, width, 3), RGB."""
        ...

    def read_next(self, timeout_s: float) -> np.ndarray:
        """Wait for a picture newer than the one given last; raise `CameraError` when none comes in time."""
        ...

    @property
    def taken_at(self) -> float:
        """When the picture that was read last was taken, on the robot's clock [s]."""
        ...

    def health(self) -> CameraHealth:
        """Tell how well the camera keeps up; asking costs nothing."""
        ...


@contextmanager
def connected(*devices: Device) -> Generator[None]:
    """Connect `devices` in order for the length of a block, and disconnect them in reverse, whatever happens."""
    with ExitStack() as stack:
        for device in devices:
            stack.callback(device.disconnect)
            device.connect()
        yield
