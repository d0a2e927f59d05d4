"""What a Dynamixel tells of itself: its measurements, and the hardware errors that hold."""

from __future__ import annotations

from collections.abc import Callable

from etude.hardware.buses.dynamixel.registers import X_SERIES
from etude.sim.servos.dynamixel.drive import OVERHEAT, OVERLOAD, SPEED_UNIT, VOLTAGE, Drive
from etude.sim.servos.dynamixel.memory import Memory
from etude.sim.servos.dynamixel.models import Model

_MOST = (1 << 31) - 1


def _share_of_effort(memory: Memory, drive: Drive, model: Model) -> int:
    """Give the current [mA] where the servo measures it, else the load in 0.1 %."""
    del memory
    unit = model.stall_a * 1000 if model.senses_current else 1000
    return round(drive.nm / model.stall_nm * drive.settings.sign * unit)


def _speed(memory: Memory, drive: Drive, model: Model) -> int:
    del memory, model
    return round(min(max(drive.velocity / SPEED_UNIT, -_MOST), _MOST))


_PRESENT: dict[str, Callable[[Memory, Drive, Model], int]] = {
    "Realtime_Tick": lambda _, drive, __: int(drive.age_s * 1000) % 32768,
    "Moving": lambda memory, drive, model: int(abs(_speed(memory, drive, model)) > memory.get("Moving_Threshold")),
    "Moving_Status": lambda _, drive, __: int(not drive.is_moving),
    "Present_PWM": lambda _, drive, __: round(drive.pwm),
    "Present_Current": _share_of_effort,
    "Present_Velocity": _speed,
    "Present_Position": lambda _, drive, __: min(max(drive.position, -_MOST), _MOST),
    "Velocity_Trajectory": lambda _, drive, __: round(drive.speed / SPEED_UNIT),
    "Position_Trajectory": lambda _, drive, __: round(drive.setpoint),
    "Present_Input_Voltage": lambda _, drive, __: round(drive.supply_v * 10),
    "Present_Temperature": lambda _, drive, __: round(drive.temperature_c),
}
_PLACES = [(X_SERIES[name].address, X_SERIES[name].address + X_SERIES[name].size, name) for name in _PRESENT]


def measure(memory: Memory, drive: Drive, model: Model, start: int, end: int) -> None:
    """Write fresh measurements into `memory` where it is about to be read."""
    for first, behind, name in _PLACES:
        if first < end and start < behind:
            memory.set(name, _PRESENT[name](memory, drive, model))


def hardware_error(memory: Memory, drive: Drive) -> int:
    """Give the bits of the errors that hold right now."""
    is_fed = memory.get("Min_Voltage_Limit") <= round(drive.supply_v * 10) <= memory.get("Max_Voltage_Limit")
    hot = OVERHEAT if drive.temperature_c > memory.get("Temperature_Limit") else 0
    overload = OVERLOAD if drive.is_overloaded or drive.is_tripped else 0
    return hot | overload | (0 if is_fed else VOLTAGE)
