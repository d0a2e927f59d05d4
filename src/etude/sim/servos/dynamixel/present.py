"""What a Dynamixel tells of itself: its measurements, and the hardware errors that hold."""

from __future__ import annotations

from etude.sim.servos.dynamixel.drive import OVERHEAT, OVERLOAD, SPEED_UNIT, VOLTAGE, Drive
from etude.sim.servos.dynamixel.memory import Memory
from etude.sim.servos.dynamixel.models import Model

_MOST = (1 << 31) - 1


def measure(memory: Memory, drive: Drive, model: Model) -> None:
    """Write fresh measurements into `memory`."""
    share = drive.nm / model.stall_nm * drive.settings.sign
    unit = model.stall_a * 1000 if model.senses_current else 1000
    speed = min(max(drive.velocity / SPEED_UNIT, -_MOST), _MOST)
    now = {
        "Present_Position": min(max(drive.position, -_MOST), _MOST),
        "Present_Velocity": round(speed),
        "Present_PWM": round(drive.pwm),
        "Present_Current": round(share * unit),
        "Present_Input_Voltage": round(drive.supply_v * 10),
        "Present_Temperature": round(drive.temperature_c),
        "Position_Trajectory": round(drive.setpoint),
        "Velocity_Trajectory": round(drive.speed / SPEED_UNIT),
        "Realtime_Tick": int(drive.age_s * 1000) % 32768,
        "Moving": int(abs(speed) > memory.get("Moving_Threshold")),
        "Moving_Status": int(not drive.is_moving),
    }
    for name, value in now.items():
        memory.set(name, value)


def hardware_error(memory: Memory, drive: Drive) -> int:
    """Give the bits of the errors that hold right now."""
    is_fed = memory.get("Min_Voltage_Limit") <= round(drive.supply_v * 10) <= memory.get("Max_Voltage_Limit")
    hot = OVERHEAT if drive.temperature_c > memory.get("Temperature_Limit") else 0
    overload = OVERLOAD if drive.is_overloaded or drive.is_tripped else 0
    return hot | overload | (0 if is_fed else VOLTAGE)
