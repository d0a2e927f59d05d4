"""Staying in touch with named motors: ask again, count what was lost, come back after an unplug, say who is silent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from etude.core.clock import Clock, RealClock
from etude.core.errors import DeviceError, EtudeError, MotorSilent, NotFound
from etude.hardware.bus import Motor, Tally
from etude.hardware.buses.bus_config import BusConfig
from etude.hardware.buses.dialect import Dialect, Question, Reply
from etude.hardware.buses.exchange import Answers, Exchange
from etude.hardware.device import Line

_REOPEN_EVERY_S = 0.2


class Contact:
    """Asks named motors over a line, which it opens again when the adapter was unplugged."""

    def __init__(self, line: Line, motors: Mapping[str, Motor], dialect: Dialect, config: BusConfig) -> None:
        self.line, self.config, self.dialect = line, config, dialect
        self.motors: dict[str, Motor] = dict(motors)
        self.tallies = {motor: Tally() for motor in motors}
        self.reconnects = 0
        self.clock: Clock = line.scene.clock if line.scene else RealClock()
        self.exchange = Exchange(line, dialect, self.clock, config.baud_rate)
        self._is_open = self._is_lost = False

    def open(self) -> None:
        """Open the line at the present rate."""
        self.line.set_baud_rate(self.exchange.baud_rate)
        self.line.open()
        self._is_open, self._is_lost = True, False

    def close(self) -> None:
        """Close the line; harmless when it is not open."""
        self._is_open = False
        self.line.close()

    def set_baud_rate(self, baud_rate: int) -> None:
        """Go on at another rate [bits/s]."""
        self.exchange.baud_rate = baud_rate
        self.line.set_baud_rate(baud_rate)

    def rename(self, motor: str, motor_id: int) -> None:
        """Remember that `motor` now has another id."""
        self.motors[motor] = replace(self.motors[motor], id=motor_id)

    def tell(self, request: bytes) -> bool:
        """Send what nobody answers; whether it was sent, which it is not when the line had to be opened again."""
        try:
            self.exchange.tell(request)
        except DeviceError as problem:
            self._reconnect(problem)
            return False
        return True

    def ask(self, question: Question) -> Answers:
        """Ask once, and count who did not answer; raise `DeviceError` when the line is back too late for it."""
        try:
            answers = self.exchange.ask(question)
        except DeviceError as problem:
            self._reconnect(problem)
            if question.expires:
                raise self._too_late(question) from problem
            answers = self.exchange.ask(question)
        for motor in self._named(question.wanted):
            tally, motor_id = self.tallies[motor], self.motors[motor].id
            tally.asked += 1
            if motor_id not in answers.replies:
                tally.damaged += motor_id in answers.damaged
                tally.missed += motor_id not in answers.damaged
        return answers

    def ask_one(self, motor: str, question: Question) -> Reply:
        """Ask one motor, again when it does not answer; raise `MotorSilent` when it never does."""
        for _ in range(self.config.retries + 1):
            answers = self.ask(question)
            if answers.replies:
                return answers.replies[question.wanted[0]]
        raise self.silence(motor, is_urgent=question.is_urgent)

    def present(self, ids: Iterable[int] | None = None) -> list[int]:
        """List all motors that answer now; where they must be asked one by one, only `ids` are, or those known."""
        known = [motor.id for motor in self.motors.values()]
        questions = self.dialect.roll_call(known if ids is None else ids)
        return sorted({motor_id for question in questions for motor_id in self.exchange.ask(question).replies})

    def silence(self, motor: str, last: str = "", *, is_urgent: bool = False) -> MotorSilent:
        """Say that `motor` does not answer, and who does; in a hurry that is who answered lately."""
        missed = {motor} | {other for other, tally in self.tallies.items() if tally.in_a_row}
        lately = [one.id for other, one in self.motors.items() if other not in missed]
        return MotorSilent(motor, self.motors[motor].id, self.line.name, lately if is_urgent else self.present(), last)

    def _named(self, motor_ids: tuple[int, ...]) -> list[str]:
        return [motor for motor, one in self.motors.items() if one.id in motor_ids]

    def _reconnect(self, problem: DeviceError) -> None:
        """Open the line again until all motors answer; raise `DeviceError` when it takes too long.

        A line that has been waited for in vain is not waited for again: there are other motors to be let go of.
        """
        if not self._is_open:
            raise problem
        deadline = self.clock.now() + (0.0 if self._is_lost else self.config.reconnect_s)
        while True:
            try:
                self._reopen()
            except EtudeError as again:
                if self.clock.now() >= deadline:
                    self._is_lost = True
                    raise self._lost(again) from problem
                self.clock.sleep_until(self.clock.now() + _REOPEN_EVERY_S)
            else:
                self._is_lost = False
                self.reconnects += 1
                return

    def _reopen(self) -> None:
        self.line.close()
        self.line.open()
        for motor, one in self.motors.items():
            question = self.dialect.ping(one.id)
            if not any(self.exchange.ask(question).replies for _ in range(self.config.retries + 1)):
                raise MotorSilent(motor, one.id, self.line.name)

    def _too_late(self, question: Question) -> DeviceError:
        asked = ", ".join(f"'{motor}'" for motor in self._named(question.wanted))
        return DeviceError(
            f"The cable on {self.line.name} was unplugged while {asked} was being switched on, and is back. It was "
            "left as it is, since the arm may have moved meanwhile: try again."
        )

    def _lost(self, problem: EtudeError) -> DeviceError:
        patience = f"{self.config.reconnect_s:g} s"
        away = f"The adapter on {self.line.name} was unplugged and has not come back within {patience}"
        if isinstance(problem, NotFound):
            return DeviceError(f"{away}. Plug it in, and start again.")
        return DeviceError(f"{away}: {problem}")
