"""The make of a Koch v1.1 follower."""

from __future__ import annotations

from etude.hardware.arm_kind import ArmKind, Tolerance
from etude.hardware.bus import Motor

EXTENDED_POSITION, CURRENT_POSITION = 4, 5
"""Operating modes: beyond one turn, and giving way to what is gripped."""

KOCH_FOLLOWER = ArmKind(
    name="koch_follower",
    bus="dynamixel",
    motors={
        "shoulder_pan": Motor(id=1, model="xl430-w250"),
        "shoulder_lift": Motor(id=2, model="xl430-w250"),
        "elbow_flex": Motor(id=3, model="xl330-m288"),
        "wrist_flex": Motor(id=4, model="xl330-m288"),
        "wrist_roll": Motor(id=5, model="xl330-m288"),
        "gripper": Motor(id=6, model="xl330-m288"),
    },
    endless=frozenset({"shoulder_pan", "wrist_roll"}),
    settings={
        # In joint mode a servo that was mounted with its zero inside the range could not pass it.
        "": {"Return_Delay_Time": 0, "Operating_Mode": EXTENDED_POSITION},
        "elbow_flex": {"Position_P_Gain": 1500, "Position_I_Gain": 0, "Position_D_Gain": 600},
        "gripper": {"Operating_Mode": CURRENT_POSITION},
    },
    drive_modes={},
    body="koch",
    # Folded, the hand on the table, for an arm put together as the kit says: let go there, a simulated one sinks by 1
    # degree. The joints that turn without stops are left alone, since nothing tells where they look.
    rest={"shoulder_lift": -98.0, "elbow_flex": 65.0, "wrist_flex": 70.0},
    # 5 V for the small ones; the XL430 live on 12 V and have a weaker limit of their own.
    tolerance=Tolerance(voltage_v=(4.2, 3.6)),
)
