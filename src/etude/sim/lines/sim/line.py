"""A serial line whose other end are the servos of this process's world."""

from __future__ import annotations

from typing import Self

from etude.core.errors import DeviceError
from etude.hardware.device import Line, Scene
from etude.sim.lines.sim.config import Config
from etude.sim.world import World, shared_world


def build(config: Config) -> Line:
    """Make the line, and the world behind it if there is none yet."""
    del config
    return SimLine()


class SimLine:
    """Bytes to and from simulated servos. They answer at once, and only the world's clock makes them move."""

    name = "sim"

    def __init__(self) -> None:
        self._world = shared_world()
        self.scene: Scene | None = self._world
        self._is_open = False
        self._received = bytearray()

    def open(self) -> Self:
        """Open the line; the servos have power from the world's beginning."""
        self._is_open = True
        return self

    def write(self, data: bytes) -> None:
        """Send `data`; what the servos answer can be read at once."""
        self._received += self._opened().exchange(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        """Receive up to `size` bytes; whatever is not there yet will not come, so there is nothing to wait for."""
        del timeout_s
        self._opened()
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def discard(self) -> None:
        """Forget what was received and not read."""
        self._received.clear()

    def set_baud_rate(self, baud_rate: int) -> None:
        """Go on at another rate [bits/s]; these servos listen at any."""
        del baud_rate

    def close(self) -> None:
        """Close the line."""
        self.discard()
        self._is_open = False

    def _opened(self) -> World:
        if not self._is_open:
            raise DeviceError("The line 'sim' is not open. Call open() first.")
        return self._world
