"""The control tables of Feetech servos: where each number lies, how it is written, and what the factory put there.

Sources: Feetech's STS, SMS and SCS memory tables (ftservo wiki); names as in LeRobot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from etude.hardware.buses.register import Model, Register, find

MODEL_NUMBER = 777
"""Of an STS3215."""
TICKS_PER_TURN = 4096
BAUD_RATES = {
    1_000_000: 0,
    500_000: 1,
    250_000: 2,
    128_000: 3,
    115_200: 4,
    76_800: 5,
    57_600: 6,
    38_400: 7,
}
"""Values of Baud_Rate by rate [bits/s], the most usual first."""
_FIRST_IN_RAM = 40
_FIRST_OF_FACTORY = 78
"""From here on the factory's own values lie, which outlive a power cycle too."""


def _placed(*table: Register, order: Literal["little", "big"] = "little") -> dict[str, Register]:
    """Map registers by name, saying of each how it is written and whether it is kept."""
    return {
        item.name: replace(item, order=order, is_kept=not _FIRST_IN_RAM <= item.address < _FIRST_OF_FACTORY)
        for item in table
    }


STS3215 = _placed(
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
"""The registers by name; those of the whole STS and SMS series, with the factory values of an STS3215."""

SCS0009 = _placed(
    Register("Firmware_Major_Version", 0, 1, 3, is_read_only=True),
    Register("Firmware_Minor_Version", 1, 1, 10, is_read_only=True),
    Register("Model_Number", 3, 2, 1284, is_read_only=True),
    Register("ID", 5, 1, 1),
    Register("Baud_Rate", 6, 1),
    Register("Return_Delay_Time", 7, 1),
    Register("Response_Status_Level", 8, 1, 1),
    Register("Min_Position_Limit", 9, 2, 20),
    Register("Max_Position_Limit", 11, 2, 1003),
    Register("Max_Temperature_Limit", 13, 1, 80),
    Register("Max_Voltage_Limit", 14, 1, 100),
    Register("Min_Voltage_Limit", 15, 1, 40),
    Register("Max_Torque_Limit", 16, 2, 1000),
    Register("Phase", 18, 1),
    Register("Unloading_Condition", 19, 1, 44),
    Register("LED_Alarm_Condition", 20, 1, 47),
    Register("P_Coefficient", 21, 1, 15),
    Register("D_Coefficient", 22, 1, 15),
    Register("I_Coefficient", 23, 1),
    Register("Minimum_Startup_Force", 24, 2, 16),
    Register("CW_Dead_Zone", 26, 1, 1),
    Register("CCW_Dead_Zone", 27, 1, 1),
    Register("Protective_Torque", 37, 1, 40),
    Register("Protection_Time", 38, 1, 80),
    Register("Torque_Enable", 40, 1),
    Register("Acceleration", 41, 1),
    Register("Goal_Position", 42, 2),
    Register("Running_Time", 44, 2),
    Register("Goal_Velocity", 46, 2),
    Register("Lock", 48, 1, 1),
    Register("Present_Position", 56, 2, is_read_only=True),
    Register("Present_Velocity", 58, 2, sign_bit=15, is_read_only=True),
    Register("Present_Load", 60, 2, sign_bit=10, is_read_only=True),
    Register("Present_Voltage", 62, 1, is_read_only=True),
    Register("Present_Temperature", 63, 1, is_read_only=True),
    Register("Sync_Write_Flag", 64, 1, is_read_only=True),
    Register("Status", 65, 1, is_read_only=True),
    Register("Moving", 66, 1, is_read_only=True),
    Register("PWM_Maximum_Step", 78, 1),
    Register("Moving_Velocity_Threshold*50", 79, 1),
    Register("DTs", 80, 1),
    Register("Minimum_Velocity_Limit*50", 81, 1),
    Register("Maximum_Velocity_Limit*50", 82, 1),
    Register("Acceleration_2", 83, 1),
    order="big",
)
"""The registers of the SCS series by name. The factory values of the upper half are not documented."""

MODELS = {
    "sts3215": Model(number=MODEL_NUMBER, table=STS3215),
    "sts3250": Model(number=2825, table=STS3215),
    "sm8512bl": Model(number=11272, table=STS3215),
    "scs0009": Model(number=1284, table=SCS0009, resolution=1024),
}
"""By LeRobot's name."""


def register(name: str) -> Register:
    """Look up a register of an STS or SMS servo; raise `NotFound` with the nearest names."""
    return find(STS3215, name)


FAULTS = {1: "voltage", 2: "encoder", 4: "over-temperature", 8: "over-current", 32: "overload"}
"""Error bits of a reply and of the Status register, by value."""


def fault_names(bits: int) -> list[str]:
    """Spell out error bits."""
    return [name for bit, name in FAULTS.items() if bits & bit]
