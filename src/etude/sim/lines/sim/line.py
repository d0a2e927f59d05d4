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
            leader.person = leader.person or person_at(leader, config.name)
        else:
            self.arm = self._world.arms.follower(config.body, config.name)
        self._baud_rate = config.baud_rate
        self._is_open, self._num_unplugs = False, 0
        self._received = bytearray()
        self._coming: list[tuple[float, bytes]] = []

    def open(self) -> Self:
        """Open the line, which raises `DeviceError` while it is unplugged; the servos have power from the start."""
        self._world.start()
        self.arm.wire.faults.check_plugged()
        self._num_unplugs = self.arm.wire.faults.num_unplugs
        self._is_open = True
        return self

    def write(self, data: bytes) -> None:
        """Send `data`; what the servos answer can be read at once."""
        self._check_open()
        reply = self.arm.exchange(data, self._baud_rate)
        if reply:
            self._coming.append((self._world.clock.now() + self.arm.wire.delay_s, reply))

    def read(self, size: int, timeout_s: float) -> bytes:
        """Receive up to `size` bytes. Time passes only while an answer is under way.

        Where there is none, none will come, and there is nothing to wait for.
        """
        self._check_open()
        deadline = self._world.clock.now() + timeout_s
        while len(self._received) < size and self._coming and self._coming[0][0] <= deadline:
            due_s, reply = self._coming.pop(0)
            self._world.clock.sleep_until(due_s)
            self._received += reply
        if len(self._received) < size and self._coming:
            self._world.clock.sleep_until(deadline)
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def discard(self) -> None:
        """Forget what was received and not read."""
        now = self._world.clock.now()
        self._coming = [(due_s, reply) for due_s, reply in self._coming if due_s > now]
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
        faults = self.arm.wire.faults
        faults.check_plugged()
        if self._num_unplugs != faults.num_unplugs:
            raise DeviceError(f"The line '{self.name}' was unplugged. Open it again.")
