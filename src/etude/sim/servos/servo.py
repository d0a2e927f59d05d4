"""What every simulated servo promises, whatever its family."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Drive(Protocol):
    """Motor, gears and encoder of one servo."""

    supply_v: float
    """Voltage at its plug."""
    is_tripped: bool
    """Whether its overload protection has tripped, whatever the load is."""
    latency_s: float
    """How much later than it should it obeys a goal."""


@runtime_checkable
class Servo(Protocol):
    """One simulated servo: its firmware hears the wire, its motor turns a joint."""

    is_silent: bool
    """Whether it neither listens nor answers, as if its cable were pulled."""

    @property
    def drive(self) -> Drive:
        """What turns the joint."""
        ...

    @property
    def id(self) -> int:
        """The id it listens to."""
        ...

    @property
    def baud_rate(self) -> int:
        """The rate at which it listens [bits/s]."""
        ...

    @property
    def resists(self) -> bool:
        """Whether the motor works against whoever turns the joint."""
        ...

    @property
    def delay_s(self) -> float:
        """How long it waits before it answers."""
        ...

    def torque(self, position_rad: float, velocity_rad_s: float, dt: float) -> float:
        """Give the motor's torque [Nm] for the next `dt` seconds, with the joint where it is now."""
        ...

    def settle(self, position_rad: float) -> None:
        """Let the encoder see where the joint was put, and hold it there."""
        ...

    def power_cycle(self) -> None:
        """Switch off and on again."""
        ...
