"""What goes wrong on a simulated wire: injected by tests, or at random times by `etude sim --faults`.

Every simulated arm has its own: `world.arm.wire.faults` in process, `line.arm.wire.faults` at an open `sim` line.

    faults.noise(0.2, for_s=1.0)             # a fifth of all packets get a wrong byte
    faults.silence(3, for_s=0.5)             # motor 3 neither hears nor answers
    faults.wrong_checksum(3, for_s=0.5)      # every answer of motor 3 has a wrong last byte
    faults.slow(0.02, for_s=1.0)             # answers come 20 ms late
    faults.overload(3, for_s=1.0)            # motor 3 trips: it gives way and says so in every answer
    faults.brown_out(3.0, for_s=0.1)         # the supply falls to 3.0 V; below RESET_V servos restart without torque
    faults.unplug(for_s=2.0)                 # the port is gone: it raises, and must be opened anew after
    faults.clear()                           # all is well again; a servo that restarted stays limp

Each lasts `for_s` seconds of the arm's clock, for ever where none are given, and begins at once. What is random follows
`Faults.seed`. A motor is named by its id; without one, all are meant. Times are noticed when something is said on the
wire and, with an arm on a table, in every physics step.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etude.core.errors import DeviceError
from etude.sim.servos.servo import Servo

RESET_V = 3.5
"""A servo's processor stops below this voltage."""
KINDS = ("noise", "silence", "wrong_checksum", "slow", "overload", "brown_out", "unplug")


@dataclass(frozen=True)
class _Fault:
    kind: str
    until_s: float
    motor_id: int | None = None
    amount: float = 0.0

    def hits(self, motor_id: int) -> bool:
        return self.motor_id in (None, motor_id)


class Faults:
    """The faults on one wire."""

    def __init__(self, servos: Sequence[Servo], now: Callable[[], float], seed: int = 0) -> None:
        self._servos, self._now = servos, now
        self._faults: list[_Fault] = []
        self._normal_v = {id(servo): servo.drive.supply_v for servo in servos}
        self.num_unplugs = 0
        """How often the cable was pulled; a port that was open then has to be opened anew."""
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Start the random choices anew."""
        self._rng = random.Random(seed)  # noqa: S311  noise on a wire is no secret

    def noise(self, share: float = 0.2, *, for_s: float = math.inf) -> None:
        """Damage this share of what is sent in either direction."""
        self._begin("noise", for_s, amount=share)

    def silence(self, motor_id: int | None = None, *, for_s: float = math.inf) -> None:
        """Let a motor neither hear nor answer."""
        self._begin("silence", for_s, motor_id)

    def wrong_checksum(self, motor_id: int | None = None, *, for_s: float = math.inf) -> None:
        """Let the answers of a motor end in a wrong byte."""
        self._begin("wrong_checksum", for_s, motor_id)

    def slow(self, delay_s: float, *, for_s: float = math.inf) -> None:
        """Let every answer come that much later."""
        self._begin("slow", for_s, amount=delay_s)

    def overload(self, motor_id: int | None = None, *, for_s: float = math.inf) -> None:
        """Let the overload protection of a motor trip."""
        self._begin("overload", for_s, motor_id)

    def brown_out(self, volts: float = 3.0, *, motor_id: int | None = None, for_s: float = math.inf) -> None:
        """Let the supply fall to `volts`."""
        self._begin("brown_out", for_s, motor_id, volts)

    def unplug(self, *, for_s: float = math.inf) -> None:
        """Pull the cable out of the computer; the servos keep their power."""
        self._begin("unplug", for_s)

    def check_plugged(self) -> None:
        """Raise `DeviceError` while the cable is out of the computer."""
        self.update()
        if self.is_unplugged:
            raise DeviceError("The cable of the simulated arm is unplugged. Plug it in again, then connect again.")

    def strike(self, kinds: Sequence[str] = KINDS) -> str:
        """Begin one fault of these kinds, chosen at random; tell in words what happens."""
        kind, for_s = self._rng.choice(kinds), round(self._rng.uniform(0.05, 1.0), 2)
        servo = self._rng.choice(self._servos)
        amounts = {"noise": 0.3, "slow": 0.03, "brown_out": self._rng.choice((3.0, 3.8))}
        is_one = kind in ("silence", "wrong_checksum", "overload")
        self._begin(kind, for_s, servo.id if is_one else None, amounts.get(kind, 0.0))
        return f"{kind} for {for_s} s{f', motor {servo.id}' if is_one else ''}"

    def clear(self) -> None:
        """End all faults."""
        self._faults = []
        self._enforce()

    @property
    def is_unplugged(self) -> bool:
        """Whether the cable is out of the computer."""
        return any(fault.kind == "unplug" for fault in self._faults)

    @property
    def delay_s(self) -> float:
        """How much later answers come now."""
        return max((fault.amount for fault in self._faults if fault.kind == "slow"), default=0.0)

    def update(self) -> None:
        """End what has lasted long enough."""
        if not self._faults:
            return
        now = self._now()
        if any(fault.until_s <= now for fault in self._faults):
            self._faults = [fault for fault in self._faults if fault.until_s > now]
            self._enforce()

    def garble(self, data: bytes) -> bytes:
        """Give what arrives of `data`."""
        share = max((fault.amount for fault in self._faults if fault.kind == "noise"), default=0.0)
        if not data or not share or self._rng.random() >= share:
            return data
        place, byte = self._rng.randrange(len(data)), self._rng.randrange(256)
        keep = self._rng.choice((0, 1))  # one byte more, or another one in its place
        return data[:place] + bytes((byte,)) + data[place + keep :]

    def spoil(self, motor_id: int, reply: bytes) -> bytes:
        """Give what arrives of a motor's answer."""
        if not self._faults:
            return reply
        if any(fault.kind == "wrong_checksum" and fault.hits(motor_id) for fault in self._faults):
            reply = reply[:-1] + bytes((reply[-1] ^ 0x55,))
        return self.garble(reply)

    def _begin(self, kind: str, for_s: float, motor_id: int | None = None, amount: float = 0.0) -> None:
        self.num_unplugs += kind == "unplug"
        self._faults.append(_Fault(kind, self._now() + for_s, motor_id, amount))
        self._enforce()

    def _enforce(self) -> None:
        """Let the servos feel what is wrong with them now; one whose supply comes back starts anew."""
        for servo in self._servos:
            mine = [fault for fault in self._faults if fault.hits(servo.id)]
            volts = [fault.amount for fault in mine if fault.kind == "brown_out"]
            was_off = servo.drive.supply_v < RESET_V
            servo.drive.supply_v = min([self._normal_v[id(servo)], *volts])
            is_off = servo.drive.supply_v < RESET_V
            if was_off != is_off:
                servo.power_cycle()
            servo.is_silent = is_off or any(fault.kind == "silence" for fault in mine)
            servo.drive.is_tripped = any(fault.kind == "overload" for fault in mine)
