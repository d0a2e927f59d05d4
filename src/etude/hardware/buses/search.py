"""Finding motors that nobody has set up yet: at which rate, under which id, of which model."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.bus import MotorBus


@dataclass(frozen=True, kw_only=True)
class FoundMotor:
    """A motor that answered."""

    baud_rate: int
    """[bits/s]"""
    id: int
    model_number: int
    model: str
    """As LeRobot spells it; empty for a number that is not known."""


def find_motors(bus: MotorBus) -> list[FoundMotor]:
    """List all motors that answer on an open bus, at all rates of its family; takes about a second for each rate."""
    return [
        FoundMotor(baud_rate=baud_rate, id=motor_id, model_number=number, model=bus.model_names.get(number, ""))
        for baud_rate in bus.baud_rates
        for motor_id, number in bus.scan(baud_rate).items()
    ]
