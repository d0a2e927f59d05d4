"""The make of an SO-100 leader."""

from __future__ import annotations

from etude.hardware.arm_kind import ArmKind
from etude.hardware.teleoperators.so101_leader.kind import SO101_LEADER

# They differ in gears alone, of which a driver knows nothing.
SO100_LEADER: ArmKind = SO101_LEADER
