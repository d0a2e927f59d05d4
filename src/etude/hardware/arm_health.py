"""How the motors of an arm feel, asked one at a time, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from etude.core.errors import DeviceError
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.health import Vitals

PERIOD_S = 0.25
"""Between two questions: an arm of six motors is heard in a second and a half, for less than a packet every 7 ticks."""
PATIENCE_S = 3.0
"""How long a motor may stay at its full effort."""
_RARE = 0.01
"""Share of answers that may be missing before a person is told."""
_ENOUGH = 100


class Grade(IntEnum):
    """What the state of its motors allows an arm to do."""

    MOVE = 0
    HOLD = 1
    LIMP = 2


class ArmHealth:
    """Asks the motors of an arm how they feel, and judges by what they stand."""

    def __init__(self, kind: ArmKind, bus: MotorBus) -> None:
        self._kind, self._bus, self._stands = kind, bus, kind.tolerance
        self.vitals: dict[str, Vitals] = {}
        self._strained_since: dict[str, float] = {}
        self._turn, self._asked_at = 0, float("-inf")

    def ask(self, now: float) -> None:
        """Ask a motor how it feels: the next one when it is time, at once one whose complaints changed. One at most."""
        if now < self._asked_at:
            self._asked_at, self._strained_since = float("-inf"), {}  # a simulated clock began again
        changed = self._changed()
        if not changed and now - self._asked_at < PERIOD_S:
            return
        motor = changed[0] if changed else tuple(self._kind.motors)[self._turn % len(self._kind.motors)]
        self._turn, self._asked_at = self._turn + (not changed), now
        if motor in self.silent():
            return
        try:
            self.vitals[motor] = self._bus.vitals(motor)
        except DeviceError:
            return  # whoever asks where it is finds out soon enough
        if abs(self.vitals[motor].load) < self._stands.load:
            self._strained_since.pop(motor, None)
        else:
            self._strained_since.setdefault(motor, now)

    def _changed(self) -> list[str]:
        """Name the motors whose last answer complains where they had no fault, or the reverse."""
        at_fault = {motor for motor, felt in self.vitals.items() if felt.faults}
        return sorted((at_fault ^ self._bus.complaints) - self.silent())

    def verdict(self) -> tuple[Grade, str]:
        """Tell what the arm may still do, and why not more."""
        worst = (Grade.MOVE, "")
        for motor, felt in self.vitals.items():
            for found in self._troubles(motor, felt):
                worst = max(worst, found, key=lambda one: one[0])
        return worst

    def silent(self) -> set[str]:
        """Name the motors that did not answer in this tick."""
        return {motor for motor, tally in self._bus.tallies.items() if tally.in_a_row}

    def warnings(self) -> tuple[str, ...]:
        """Say what a person should know, one sentence each."""
        felt = (sentence for motor, vitals in self.vitals.items() for sentence in self._felt(motor, vitals))
        return (*felt, *self._unheard())

    def _troubles(self, motor: str, felt: Vitals) -> Iterator[tuple[Grade, str]]:
        stands = self._stands
        if felt.temperature_c >= stands.temperature_c[0]:
            grade = Grade.LIMP if felt.temperature_c >= stands.temperature_c[1] else Grade.HOLD
            yield grade, f"{self._who(motor)} is too hot: {felt.temperature_c:.0f} degrees"
        if felt.voltage_v < stands.voltage_v[0]:
            grade = Grade.LIMP if felt.voltage_v < stands.voltage_v[1] else Grade.HOLD
            yield grade, f"{self._who(motor)} gets too little voltage: {felt.voltage_v:.1f} V"
        if self._asked_at - self._strained_since.get(motor, self._asked_at) >= PATIENCE_S:
            yield (
                Grade.HOLD,
                f"{self._who(motor)} has been at {abs(felt.load):.0%} of its effort for {PATIENCE_S:.0f} s",
            )
        if grave := [fault for fault in felt.faults if "voltage" not in fault]:
            yield Grade.HOLD, f"{self._who(motor)} reports {', '.join(grave)}"

    def _felt(self, motor: str, felt: Vitals) -> Iterator[str]:
        who, stands = self._who(motor), self._stands
        if felt.temperature_c >= stands.warm_c:
            yield (
                f"{who} is at {felt.temperature_c:.0f} degrees; at {stands.temperature_c[0]:.0f} the arm stops. "
                "Let it rest, or lighten what it carries."
            )
        if felt.voltage_v < stands.voltage_v[0]:
            yield (
                f"{who} gets {felt.voltage_v:.1f} V; below {stands.voltage_v[0]:.1f} V the arm stops. "
                "Check the power supply and its plug."
            )
        if motor in self._strained_since:
            yield (
                f"{who} works at {abs(felt.load):.0%} of its effort; {PATIENCE_S:.0f} s of {stands.load:.0%} or more "
                "stop the arm. Take away what it pushes against, or what it carries."
            )
        if felt.faults:
            yield f"{who} reports {', '.join(felt.faults)}. Relieve it, let it cool, and check the power supply."

    def _unheard(self) -> Iterator[str]:
        for motor, tally in self._bus.tallies.items():
            lost = tally.missed + tally.damaged
            if tally.asked >= _ENOUGH and lost > _RARE * tally.asked:
                yield (
                    f"{self._who(motor)} did not answer {lost} of {tally.asked} times. "
                    "Check its cable and those before it, and keep them away from the motors' power."
                )

    def _who(self, motor: str) -> str:
        return f"Motor '{motor}' (id {self._kind.motors[motor].id})"
