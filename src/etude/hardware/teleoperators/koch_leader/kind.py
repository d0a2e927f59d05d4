"""The make of a Koch v1.1 leader."""

from __future__ import annotations

from etude.hardware.arm_kind import ArmKind, Tolerance
from etude.hardware.bus import Motor
from etude.hardware.robots.koch_follower.kind import CURRENT_POSITION, EXTENDED_POSITION, KOCH_FOLLOWER

KOCH_LEADER = ArmKind(
    name="koch_leader",
    bus="dynamixel",
    motors={name: Motor(id=motor.id, model="xl330-m077") for name, motor in KOCH_FOLLOWER.motors.items()},
    endless=KOCH_FOLLOWER.endless,
    settings={
        "": {"Return_Delay_Time": 0, "Operating_Mode": EXTENDED_POSITION},
        "gripper": {"Operating_Mode": CURRENT_POSITION},
    },
    drive_modes={"elbow_flex": 1},
    body="koch",
    is_leader=True,
    tolerance=Tolerance(voltage_v=(4.2, 3.6)),
)
