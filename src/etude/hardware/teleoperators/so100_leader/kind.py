"""The make of an SO-100 leader."""

from __future__ import annotations

from dataclasses import replace

from etude.hardware.teleoperators.so101_leader.kind import SO101_LEADER

# They differ in gears and in where the links are, of which a driver knows nothing.
SO100_LEADER = replace(SO101_LEADER, body="so100")
