"""The wire between a host and simulated servos, whatever protocol is spoken on it."""

from __future__ import annotations

from collections.abc import Callable

from etude.sim.faults import Faults
from etude.sim.servos.chain import Chain
from etude.sim.servos.servo import Servo


class Wire:
    """What an arm's servos hang on, and what can go wrong there (`faults`).

    Bytes take no time; `delay_s` tells how long the servos waited before the last answer.
    """

    def __init__(self, chain: Chain[Servo], now: Callable[[], float]) -> None:
        self._chain = chain
        self.servos = tuple(chain.servos)
        self.faults = Faults(self.servos, now)
        self.delay_s = 0.0

    def exchange(self, data: bytes, baud_rate: int | None = None) -> bytes:
        """Send `data` at `baud_rate` and give what the servos answer; raise `DeviceError` while it is unplugged."""
        faults = self.faults
        faults.check_plugged()
        replies = self._chain.replies(faults.garble(data), baud_rate)
        if not replies:
            return b""
        slowest = max((servo.delay_s for servo in self.servos), default=0.0)
        self.delay_s = slowest + faults.delay_s
        return b"".join(faults.spoil(motor_id, reply) for motor_id, reply in replies)
