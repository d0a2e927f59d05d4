"""A serial line whose other end are the servos of an arm in this process's world."""

from __future__ import annotations

from typing import Self

from etude.core.errors import DeviceError
from etude.hardware.device import Line, Scene
from etude.sim.leader import SimLeader
from etude.sim.lines.sim.config import Config
from etude.sim.people import person_at
from etude.sim.sim_arm import SimArm
from etude.sim.world import shared_world


def build(config: Config) -> Line:
    """Make the line; the world behind it and the arm in that world are made if there are none yet."""
    return SimLine(config)


class SimLine:
    """Bytes to and from simulated servos. They answer at once, and only the world's clock makes them move."""

    def __init__(self, config: Config) -> None:
        self.name = f"sim:{config.name}" if config.name else "sim"
        self._world = shared_world()
        self.scene: Scene | None = self._world
        self.arm: SimArm | SimLeader
        """The arm at the other end."""
        if config.is_leader:
            self.arm = leader = self._world.arms.leader(config.body, config.name)
            leader.person = leader.person or person_at(leader, self._world)
        else:
            self.arm = self._world.arms.follower(config.body, config.name)
        self._baud_rate = config.baud_rate
        self._is_open = False
        self._received = bytearray()

    def open(self) -> Self:
        """Open the line; the servos have power from the world's beginning."""
        self._world.start()
        self._is_open = True
        return self

    def write(self, data: bytes) -> None:
        """Send `data`; what the servos answer can be read at once."""
        self._check_open()
        self._received += self.arm.exchange(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        """Receive up to `size` bytes; whatever is not there yet will not come, so there is nothing to wait for."""
        del timeout_s
        self._check_open()
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def discard(self) -> None:
        """Forget what was received and not read."""
        self._received.clear()

    def set_baud_rate(self, baud_rate: int) -> None:
        """Go on at another rate [bits/s]."""
        self._baud_rate = baud_rate

    def close(self) -> None:
        """Close the line."""
        self.discard()
        self._is_open = False

    def _check_open(self) -> None:
        if not self._is_open:
            raise DeviceError(f"The line '{self.name}' is not open. Call open() first.")
