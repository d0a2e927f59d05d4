"""The make of an SO-101 follower."""

from __future__ import annotations

from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import Motor

MOTORS = {
    "shoulder_pan": Motor(id=1, model="sts3215"),
    "shoulder_lift": Motor(id=2, model="sts3215"),
    "elbow_flex": Motor(id=3, model="sts3215"),
    "wrist_flex": Motor(id=4, model="sts3215"),
    "wrist_roll": Motor(id=5, model="sts3215"),
    "gripper": Motor(id=6, model="sts3215"),
}
TURN_COUNTING = 0x10
"""Bit of Phase that makes an STS3215 count turns instead of wrapping around."""

SO101_FOLLOWER = ArmKind(
    name="so_follower",
    bus="feetech",
    motors=MOTORS,
    endless=frozenset({"wrist_roll"}),
    settings={
        "": {
            "Return_Delay_Time": 0,
            "Maximum_Acceleration": 254,
            "Acceleration": 254,
            "Operating_Mode": 0,
            "P_Coefficient": 16,
            "I_Coefficient": 0,
            "D_Coefficient": 32,
        },
        # A gripper that pushes against a hard thing for hours must not burn.
        "gripper": {"Max_Torque_Limit": 500, "Protection_Current": 250, "Overload_Torque": 25},
    },
    cleared_bits={"Phase": TURN_COUNTING},
    body="so101",
    # Folded, the hand on the table: let go there, a simulated arm sinks by less than a degree.
    rest={"shoulder_lift": -98.0, "elbow_flex": 98.0, "wrist_flex": 60.0},
)
