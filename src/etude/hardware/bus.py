"""What every motor bus promises, whatever protocol is spoken on its wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from etude.hardware.device import Line
from etude.hardware.health import Tally, Vitals

__all__ = ["Motor", "MotorBus", "Tally", "Vitals"]


@dataclass(frozen=True, kw_only=True)
class Motor:
    """One motor on a bus."""

    id: int
    model: str
    """As LeRobot spells it, such as `sts3215` or `xl330-m288`."""


@runtime_checkable
class MotorBus(Protocol):
    """Reads and writes the registers of named motors over one line.

    Registers have LeRobot's names in every family (`Present_Position`, `Goal_Position`, `Torque_Enable`,
    `Homing_Offset`, `Min_Position_Limit`, `Max_Position_Limit`, `Operating_Mode`); values are raw register values.
    """

    line: Line

    @property
    def motors(self) -> Mapping[str, Motor]:
        """The motors by name."""
        ...

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """How often each motor failed to answer."""
        ...

    @property
    def reconnects(self) -> int:
        """How often the adapter came back after an unplug; motors may have moved or lost their power meanwhile."""
        ...

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes sent and received so far."""
        ...

    @property
    def least_tick_bytes(self) -> int:
        """Bytes, both ways, that the protocol needs at least for reading all positions and writing all goals."""
        ...

    complaints: frozenset[str]
    """The motors whose answers to the last `poll` told of a fault; `vitals` says which."""
    baud_rates: Mapping[int, int]
    """Values of the register Baud_Rate by rate [bits/s], the most usual first."""
    model_names: Mapping[int, str]
    """What motors of this family are called, by model number."""
    homing_sign: int
    """-1 where the motor subtracts its Homing_Offset from what the encoder shows, +1 where it adds it."""
    max_offset: int
    """Greatest magnitude that Homing_Offset can hold [ticks]."""

    def resolution(self, motor: str) -> int:
        """Tell how many ticks `motor` has in a turn."""
        ...

    def model_number(self, motor: str) -> int:
        """Tell what `motor` should answer to a ping if it is of the right model."""
        ...

    def open(self) -> None:
        """Open the line."""
        ...

    def close(self) -> None:
        """Close the line; harmless when it is not open."""
        ...

    def ping(self, motor: str) -> int:
        """Give the model number of `motor`; raise `MotorSilent` when it does not answer."""
        ...

    def scan(self, baud_rate: int | None = None) -> dict[int, int]:
        """List all motors that answer at `baud_rate`, or at the present one, known or not: id to model number."""
        ...

    def read(self, name: str, motor: str) -> int:
        """Read register `name` of `motor`; raise `DeviceError` when the motor reports a fault."""
        ...

    def write(self, name: str, motor: str, value: int, *, despite_faults: bool = False) -> None:
        """Write register `name` of `motor`; raise `DeviceError` when the motor reports a fault, unless told not to.

        Registers that outlive a power cycle are unlocked for it and locked again where the family has such a lock.
        """
        ...

    def sync_read(self, name: str, motors: Iterable[str] | None = None) -> dict[str, int]:
        """Read register `name` of `motors`, or of all, in one exchange; raise `MotorSilent` for one that is missing."""
        ...

    def sync_write(self, name: str, values: Mapping[str, int]) -> None:
        """Write register `name` of several motors in one packet, which no motor acknowledges.

        When the line has to be opened again for it, nothing is written: goals are out of date by then.
        """
        ...

    def poll(self, name: str) -> dict[str, int]:
        """Read register `name` of all motors as a control loop does.

        A motor that does not answer within the tick keeps the value it had, is counted in `tallies`, and raises
        `MotorSilent` only when it has been silent for several ticks in a row.
        """
        ...

    def vitals(self, motor: str) -> Vitals:
        """Read how `motor` feels; its faults are told, not raised."""
        ...
