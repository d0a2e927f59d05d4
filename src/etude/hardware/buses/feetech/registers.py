"""The control table of an STS3215: where each number lies, how it is written, and what the factory put there.

Source: Feetech's STS memory table (ftservo wiki); names as in LeRobot.
"""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError, NotFound

MODEL_NUMBER = 777
TICKS_PER_TURN = 4096


@dataclass(frozen=True, slots=True)
class Register:
    """One number in a servo's memory, little endian; with `sign_bit` it is a sign and a magnitude."""

    name: str
    address: int
    size: int
    factory: int = 0
    """Value when new."""
    sign_bit: int | None = None
    is_read_only: bool = False

    def encode(self, value: int) -> bytes:
        """Give the bytes of `value`; raise `ConfigError` when it does not fit."""
        largest = (1 << (8 * self.size if self.sign_bit is None else self.sign_bit)) - 1
        smallest = 0 if self.sign_bit is None else -largest
        if not smallest <= value <= largest:
            raise ConfigError(f"{self.name} takes {smallest} to {largest}, got {value}.")
        raw = value if value >= 0 else -value | 1 << (self.sign_bit or 0)
        return raw.to_bytes(self.size, "little")

    def decode(self, data: bytes) -> int:
        """Give the value that `data` holds."""
        raw = int.from_bytes(data, "little")
        if self.sign_bit is None or not raw >> self.sign_bit & 1:
            return raw
        return -(raw & (1 << self.sign_bit) - 1)


_TABLE = (
    Register("Firmware_Major_Version", 0, 1, 3, is_read_only=True),
    Register("Firmware_Minor_Version", 1, 1, 10, is_read_only=True),
    Register("Model_Number", 3, 2, MODEL_NUMBER, is_read_only=True),
    Register("ID", 5, 1, 1),
    Register("Baud_Rate", 6, 1),
    Register("Return_Delay_Time", 7, 1),
    Register("Response_Status_Level", 8, 1, 1),
    Register("Min_Position_Limit", 9, 2),
    Register("Max_Position_Limit", 11, 2, 4095),
    Register("Max_Temperature_Limit", 13, 1, 70),
    Register("Max_Voltage_Limit", 14, 1, 80),
    Register("Min_Voltage_Limit", 15, 1, 40),
    Register("Max_Torque_Limit", 16, 2, 1000),
    Register("Phase", 18, 1, 12),
    Register("Unloading_Condition", 19, 1, 44),
    Register("LED_Alarm_Condition", 20, 1, 47),
    Register("P_Coefficient", 21, 1, 32),
    Register("D_Coefficient", 22, 1, 32),
    Register("I_Coefficient", 23, 1),
    Register("Minimum_Startup_Force", 24, 2, 16),
    Register("CW_Dead_Zone", 26, 1, 1),
    Register("CCW_Dead_Zone", 27, 1, 1),
    Register("Protection_Current", 28, 2, 500),
    Register("Angular_Resolution", 30, 1, 1),
    Register("Homing_Offset", 31, 2, sign_bit=11),
    Register("Operating_Mode", 33, 1),
    Register("Protective_Torque", 34, 1, 20),
    Register("Protection_Time", 35, 1, 200),
    Register("Overload_Torque", 36, 1, 80),
    Register("Velocity_closed_loop_P_proportional_coefficient", 37, 1, 10),
    Register("Over_Current_Protection_Time", 38, 1, 200),
    Register("Velocity_closed_loop_I_integral_coefficient", 39, 1, 10),
    Register("Torque_Enable", 40, 1),
    Register("Acceleration", 41, 1),
    Register("Goal_Position", 42, 2, sign_bit=15),
    Register("Goal_Time", 44, 2, sign_bit=10),
    Register("Goal_Velocity", 46, 2, sign_bit=15),
    Register("Torque_Limit", 48, 2, 1000),
    Register("Lock", 55, 1, 1),
    Register("Present_Position", 56, 2, sign_bit=15, is_read_only=True),
    Register("Present_Velocity", 58, 2, sign_bit=15, is_read_only=True),
    Register("Present_Load", 60, 2, sign_bit=10, is_read_only=True),
    Register("Present_Voltage", 62, 1, is_read_only=True),
    Register("Present_Temperature", 63, 1, is_read_only=True),
    Register("Async_Write_Flag", 64, 1, is_read_only=True),
    Register("Status", 65, 1, is_read_only=True),
    Register("Moving", 66, 1, is_read_only=True),
    Register("Present_Current", 69, 2, is_read_only=True),
    Register("Goal_Position_2", 71, 2, sign_bit=15, is_read_only=True),
    Register("Moving_Velocity", 80, 1),
    Register("DTs", 81, 1),
    Register("Velocity_Unit_factor", 82, 1),
    Register("Hts", 83, 1),
    Register("Maximum_Velocity_Limit", 84, 1),
    Register("Maximum_Acceleration", 85, 1, 254),
    Register("Acceleration_Multiplier", 86, 1),
)

STS3215 = {register.name: register for register in _TABLE}
"""The registers by name."""


def register(name: str) -> Register:
    """Look up a register; raise `NotFound` with the nearest names."""
    if name not in STS3215:
        raise NotFound("register", name, STS3215)
    return STS3215[name]


FAULTS = {1: "voltage", 2: "encoder", 4: "over-temperature", 8: "over-current", 32: "overload"}
"""Error bits of a reply and of the Status register, by value."""


def fault_names(bits: int) -> list[str]:
    """Spell out error bits."""
    return [name for bit, name in FAULTS.items() if bits & bit]
