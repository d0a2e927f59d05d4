"""Registers of named motors, whatever their family."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from etude.core.errors import ConfigError, MotorSilent, NotFound
from etude.hardware.bus import Motor, Tally, Vitals
from etude.hardware.buses.bus_config import BusConfig
from etude.hardware.buses.contact import Contact
from etude.hardware.buses.dialect import Dialect, Question, Reply
from etude.hardware.buses.moving import MAX_ID, move
from etude.hardware.buses.register import Model, Register, find
from etude.hardware.device import Line

_LONGEST_S = 0.025
"""How long a control loop may be held up by asking again, which is less than its tick at 30 Hz."""


class _Heard(NamedTuple):
    """What a motor said last, and when."""

    value: int
    at_s: float


class WireBus(ABC):
    """Reads and writes the registers of named motors over a line; a family adds its peculiarities.

    A lost or garbled answer is asked for again. Values are raw register values.
    """

    homing_sign = 1
    max_offset = 0
    baud_rates: Mapping[int, int]
    """Values of Baud_Rate by rate [bits/s], the most usual first."""

    def __init__(
        self,
        line: Line,
        motors: Mapping[str, Motor],
        dialect: Dialect,
        models: Mapping[str, Model],
        config: BusConfig,
    ) -> None:
        self.line, self.config = line, config
        self.contact = Contact(line, motors, dialect, config)
        self.model_names = {model.number: name for name, model in models.items()}
        self.complaints: frozenset[str] = frozenset()
        self._dialect = dialect
        self._models = {motor: _model(one.model, models) for motor, one in motors.items()}
        self._table = _table(self._models.values(), models)
        self._heard: dict[str, dict[str, _Heard]] = {}
        self._vitals: dict[str, Vitals] = {}

    @property
    def motors(self) -> Mapping[str, Motor]:
        """The motors by name."""
        return self.contact.motors

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """How often each motor failed to answer."""
        return self.contact.tallies

    @property
    def reconnects(self) -> int:
        """How often the adapter came back after an unplug; motors may have moved or lost their power meanwhile."""
        return self.contact.reconnects

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes sent and received so far."""
        return self.contact.exchange.bytes_sent, self.contact.exchange.bytes_received

    @property
    def least_tick_bytes(self) -> int:
        """Bytes, both ways, that the protocol needs at least for reading all positions and writing all goals."""
        return self._dialect.least_tick_bytes(len(self.motors))

    def resolution(self, motor: str) -> int:
        """Tell how many ticks `motor` has in a turn."""
        return self._models[motor].resolution

    def model_number(self, motor: str) -> int:
        """Tell what `motor` should answer to a ping if it is of the right model."""
        return self._models[motor].number

    def open(self) -> None:
        """Open the line; what was heard before says nothing of where the motors are now."""
        self._heard.clear()
        self.contact.open()

    def close(self) -> None:
        """Close the line; harmless when it is not open."""
        self.contact.close()

    def ping(self, motor: str) -> int:
        """Give the model number of `motor`; raise `MotorSilent` when it does not answer."""
        motor_id = self.motors[motor].id
        self.contact.ask_one(motor, self._dialect.ping(motor_id))
        item = find(self._table, "Model_Number")
        return item.decode(self.contact.ask_one(motor, self._dialect.read(motor_id, item)).data)

    def scan(self, baud_rate: int | None = None) -> dict[int, int]:
        """List all motors that answer at `baud_rate`, or at the present one, known or not: id to model number."""
        before = self.contact.exchange.baud_rate
        self.contact.set_baud_rate(baud_rate or before)
        try:
            present = self.contact.present(range(MAX_ID + 1))
            numbers = {motor_id: self._number(motor_id) for motor_id in present}
        finally:
            self.contact.set_baud_rate(before)
        return {motor_id: number for motor_id, number in numbers.items() if number is not None}

    def read(self, name: str, motor: str) -> int:
        """Read register `name` of `motor`; raise `DeviceError` when the motor reports a fault."""
        item = find(self._table, name)
        reply = self.contact.ask_one(motor, self._dialect.read(self.motors[motor].id, item))
        self._check(motor, reply, item)
        return item.decode(reply.data)

    def write(self, name: str, motor: str, value: int, *, despite_faults: bool = False) -> None:
        """Write register `name` of `motor`; raise `DeviceError` when the motor reports a fault, unless told not to.

        A motor that was given another id or rate is spoken to by that from then on. When the line has to be opened
        again for a goal, or to switch the torque on, it is not written, and that raises too: the arm may have fallen.
        """
        item = find(self._table, name)
        if name in ("ID", "Baud_Rate"):
            move(
                self.contact,
                motor,
                item,
                value,
                rates=self.baud_rates,
                check=lambda reply: self._check(motor, reply, item, despite_faults=True),
            )
            return
        question = self._dialect.write(self.motors[motor].id, item, value)._replace(expires=_moves(name, value))
        self._check(motor, self.contact.ask_one(motor, question), item, despite_faults=despite_faults)

    def sync_read(self, name: str, motors: Iterable[str] | None = None) -> dict[str, int]:
        """Read register `name` of `motors`, or of all, in one exchange; faults do not hinder it."""
        wanted = list(self.motors if motors is None else motors)
        item = find(self._table, name)
        replies = self._gather(item, wanted)
        for motor in wanted:
            if motor not in replies:
                raise self.contact.silence(motor)
        return {motor: item.decode(replies[motor].data) for motor in wanted}

    def sync_write(self, name: str, values: Mapping[str, int]) -> None:
        """Write register `name` of several motors in one packet, which no motor acknowledges.

        When the line has to be opened again for it, nothing is written: goals are out of date by then.
        """
        by_id = {self.motors[motor].id: value for motor, value in values.items()}
        self.contact.tell(self._dialect.sync_write(find(self._table, name), by_id))

    def poll(self, name: str) -> dict[str, int]:
        """Read register `name` of all motors within the tick; a silent one keeps its value for `patience` ticks."""
        item = find(self._table, name)
        replies = self._gather(item, list(self.motors), is_urgent=True)
        heard, now = self._heard.setdefault(name, {}), self.contact.clock.now()
        for motor, reply in replies.items():
            heard[motor] = _Heard(item.decode(reply.data), now)
        self.complaints = frozenset([motor for motor, reply in replies.items() if reply.error])
        for motor, tally in self.tallies.items():
            tally.in_a_row = 0 if motor in replies else tally.in_a_row + 1
        for motor, tally in self.tallies.items():
            if tally.in_a_row >= self.config.patience or motor not in heard:
                raise self._silent_for_long(motor, name)
        return {motor: heard[motor].value for motor in self.motors}

    def vitals(self, motor: str) -> Vitals:
        """Read how `motor` feels; its faults are told, not raised."""
        self._vitals[motor] = self._feel(motor)
        return self._vitals[motor]

    @abstractmethod
    def _check(self, motor: str, reply: Reply, item: Register, *, despite_faults: bool = False) -> None:
        """Raise `DeviceError` when `reply` tells of a fault, or that `item` was not touched."""

    @abstractmethod
    def _feel(self, motor: str) -> Vitals:
        """Read the vitals of `motor`."""

    def _number(self, motor_id: int) -> int | None:
        """Read the model number of a motor that need not be known; none when it does not answer after all."""
        item = find(self._table, "Model_Number")
        for _ in range(self.config.retries + 1):
            if reply := self.contact.ask(self._dialect.read(motor_id, item)).replies.get(motor_id):
                return item.decode(reply.data)
        return None

    def _gather(self, item: Register, motors: list[str], *, is_urgent: bool = False) -> dict[str, Reply]:
        """Read a register of those motors that answer; in a hurry, nothing more is asked once it has taken too long."""
        names = {self.motors[motor].id: motor for motor in motors}
        enough_s = self.contact.clock.now() + _LONGEST_S if is_urgent else math.inf
        got: dict[str, Reply] = {}
        for attempt in range(self.config.retries + 1):
            missing = tuple(motor_id for motor_id, motor in names.items() if motor not in got)
            if not missing:
                break
            for question in self._questions(item, missing, attempt, is_urgent=is_urgent):
                if attempt and self.contact.clock.now() >= enough_s:
                    return got
                replies = self.contact.ask(question).replies
                got |= {names[key]: reply for key, reply in replies.items() if len(reply.data) == item.size}
        return got

    def _questions(self, item: Register, ids: tuple[int, ...], attempt: int, *, is_urgent: bool) -> list[Question]:
        together = self._dialect.sync_read(ids, item, attempt)
        questions = [together] if together else [self._dialect.read(motor_id, item) for motor_id in ids]
        return [question._replace(is_urgent=is_urgent) for question in questions]

    def _silent_for_long(self, motor: str, name: str) -> MotorSilent:
        """Say what is known of a motor that a control loop misses."""
        heard, vitals, last = self._heard.get(name, {}).get(motor), self._vitals.get(motor), ""
        if heard:
            ago_s = self.contact.clock.now() - heard.at_s
            felt = (
                f", {vitals.voltage_v:.1f} V, {vitals.temperature_c:.0f} °C, load {vitals.load:.0%}" if vitals else ""
            )
            last = f"Last heard {ago_s:.2f} s ago: {name} {heard.value}{felt}."
        return self.contact.silence(motor, last, is_urgent=True)

    def _ask_now(self, motor: str, item: Register) -> Reply:
        """Read a register while a control loop waits, whatever the motor complains of."""
        question = self._dialect.read(self.motors[motor].id, item)
        return self.contact.ask_one(motor, question._replace(is_urgent=True))


def _moves(name: str, value: int) -> bool:
    """Whether a motor that holds this value in that register may move by it."""
    return name == "Goal_Position" or (name == "Torque_Enable" and value != 0)


def _model(name: str, models: Mapping[str, Model]) -> Model:
    if name not in models:
        raise NotFound("motor model", name, models)
    return models[name]


def _table(mine: Iterable[Model], models: Mapping[str, Model]) -> Mapping[str, Register]:
    """Give the table that all motors share; without motors, that of the family's first model."""
    tables = {id(model.table): model.table for model in mine}
    if len(tables) > 1:
        raise ConfigError("Motors of different protocols cannot share a wire. Put them on a port of their own.")
    return next(iter(tables.values()), next(iter(models.values())).table)
