"""The control table of the Dynamixel X series: where each number lies, and what the factory put there.

Sources: ROBOTIS e-Manual (XL330, XL430, XM430, XM540, XC330, XC430, XH540); names as in LeRobot.
"""

from __future__ import annotations

from dataclasses import replace

from etude.hardware.buses.register import Model, Register, find

BAUD_RATES = {1_000_000: 3, 57_600: 1, 115_200: 2, 2_000_000: 4, 3_000_000: 5, 4_000_000: 6, 9_600: 0}
"""Values of Baud_Rate by rate [bits/s], the most usual first."""
MAX_OFFSET = 1_044_479
"""Greatest Homing_Offset [ticks]."""
_FIRST_IN_RAM = 64

_TABLE = (
    Register("Model_Number", 0, 2, 1200, is_read_only=True),
    Register("Model_Information", 2, 4, is_read_only=True),
    Register("Firmware_Version", 6, 1, 52, is_read_only=True),
    Register("ID", 7, 1, 1),
    Register("Baud_Rate", 8, 1, 1),
    Register("Return_Delay_Time", 9, 1, 250),
    Register("Drive_Mode", 10, 1),
    Register("Operating_Mode", 11, 1, 3),
    Register("Secondary_ID", 12, 1, 255),
    Register("Protocol_Type", 13, 1, 2),
    Register("Homing_Offset", 20, 4, is_signed=True),
    Register("Moving_Threshold", 24, 4, 10),
    Register("Temperature_Limit", 31, 1, 70),
    Register("Max_Voltage_Limit", 32, 2, 70),
    Register("Min_Voltage_Limit", 34, 2, 35),
    Register("PWM_Limit", 36, 2, 885),
    Register("Current_Limit", 38, 2, 1750),
    Register("Acceleration_Limit", 40, 4, 32767),
    Register("Velocity_Limit", 44, 4, 445),
    Register("Max_Position_Limit", 48, 4, 4095),
    Register("Min_Position_Limit", 52, 4),
    Register("Shutdown", 63, 1, 53),
    Register("Torque_Enable", 64, 1),
    Register("LED", 65, 1),
    Register("Status_Return_Level", 68, 1, 2),
    Register("Registered_Instruction", 69, 1, is_read_only=True),
    Register("Hardware_Error_Status", 70, 1, is_read_only=True),
    Register("Velocity_I_Gain", 76, 2, 1600),
    Register("Velocity_P_Gain", 78, 2, 180),
    Register("Position_D_Gain", 80, 2),
    Register("Position_I_Gain", 82, 2),
    Register("Position_P_Gain", 84, 2, 400),
    Register("Feedforward_2nd_Gain", 88, 2),
    Register("Feedforward_1st_Gain", 90, 2),
    Register("Bus_Watchdog", 98, 1),
    Register("Goal_PWM", 100, 2, 885, is_signed=True),
    Register("Goal_Current", 102, 2, 1750, is_signed=True),
    Register("Goal_Velocity", 104, 4, is_signed=True),
    Register("Profile_Acceleration", 108, 4),
    Register("Profile_Velocity", 112, 4),
    Register("Goal_Position", 116, 4, is_signed=True),
    Register("Realtime_Tick", 120, 2, is_read_only=True),
    Register("Moving", 122, 1, is_read_only=True),
    Register("Moving_Status", 123, 1, is_read_only=True),
    Register("Present_PWM", 124, 2, is_signed=True, is_read_only=True),
    Register("Present_Current", 126, 2, is_signed=True, is_read_only=True),
    Register("Present_Velocity", 128, 4, is_signed=True, is_read_only=True),
    Register("Present_Position", 132, 4, is_signed=True, is_read_only=True),
    Register("Velocity_Trajectory", 136, 4, is_signed=True, is_read_only=True),
    Register("Position_Trajectory", 140, 4, is_signed=True, is_read_only=True),
    Register("Present_Input_Voltage", 144, 2, is_read_only=True),
    Register("Present_Temperature", 146, 1, is_read_only=True),
)

X_SERIES = {item.name: replace(item, is_kept=item.address < _FIRST_IN_RAM) for item in _TABLE}
"""The registers by name, with the factory values of an XL330-M288."""

XL430_FACTORY = {
    "Model_Number": 1060,
    "Temperature_Limit": 72,
    "Max_Voltage_Limit": 140,
    "Min_Voltage_Limit": 60,
    "Velocity_Limit": 265,
    "Shutdown": 52,
    "Velocity_I_Gain": 1000,
    "Velocity_P_Gain": 100,
    "Position_D_Gain": 4000,
    "Position_P_Gain": 640,
}
"""What the factory puts into an XL430 otherwise than into an XL330; its Present_Current is a load in 0.1 %."""

MODELS = {
    "xl330-m077": Model(number=1190, table=X_SERIES, full_load=1750),
    "xl330-m288": Model(number=1200, table=X_SERIES, full_load=1750),
    "xl430-w250": Model(number=1060, table=X_SERIES),
    "xm430-w350": Model(number=1020, table=X_SERIES, full_load=1193),
    "xm540-w270": Model(number=1120, table=X_SERIES, full_load=2047),
    "xc430-w150": Model(number=1070, table=X_SERIES),
    "xh540-w150": Model(number=1110, table=X_SERIES, full_load=2047),
    "xc330-t288": Model(number=1220, table=X_SERIES, full_load=910),
    "xc330-t181": Model(number=1210, table=X_SERIES, full_load=910),
}
"""By LeRobot's name. `full_load` is the greatest Current_Limit, or 100 % where load is told instead."""


def register(name: str) -> Register:
    """Look up a register; raise `NotFound` with the nearest names."""
    return find(X_SERIES, name)


ERRORS = {
    1: "it could not do what it was told",
    2: "it does not know the instruction",
    3: "what it got was damaged",
    4: "the value is out of range",
    5: "the value has the wrong length",
    6: "the value is beyond its limits",
    7: "the register is read-only, or locked while the torque is on",
}
"""What the low bits of a status's error byte say."""
ALERT = 0x80
"""Bit of the error byte that points to Hardware_Error_Status."""
FAULTS = {1: "voltage", 4: "over-temperature", 8: "encoder", 16: "electrical shock", 32: "overload"}
"""Bits of Hardware_Error_Status."""


def fault_names(bits: int) -> list[str]:
    """Spell out the bits of Hardware_Error_Status."""
    return [name for bit, name in FAULTS.items() if bits & bit]
