"""The make of an SO-101 leader."""

from __future__ import annotations

from etude.hardware.arm_kind import ArmKind
from etude.hardware.robots.so101_follower.kind import MOTORS, TURN_COUNTING

SO101_LEADER = ArmKind(
    name="so_leader",
    bus="feetech",
    motors=MOTORS,
    endless=frozenset({"wrist_roll"}),
    settings={"": {"Return_Delay_Time": 0, "Maximum_Acceleration": 254, "Acceleration": 254, "Operating_Mode": 0}},
    cleared_bits={"Phase": TURN_COUNTING},
    body="so101",
    is_leader=True,
)
