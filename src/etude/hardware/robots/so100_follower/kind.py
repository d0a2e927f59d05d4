"""The make of an SO-100 follower."""

from __future__ import annotations

from etude.hardware.arm_kind import ArmKind
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER

# LeRobot knows one make for both. Their links are equally long and their zeros agree, so one body stands for both, too.
SO100_FOLLOWER: ArmKind = SO101_FOLLOWER
