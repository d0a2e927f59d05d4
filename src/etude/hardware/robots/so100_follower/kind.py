"""The make of an SO-100 follower."""

from __future__ import annotations

from dataclasses import replace

from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER

# LeRobot knows one make for both: a driver sees no difference but where the links are.
SO100_FOLLOWER = replace(SO101_FOLLOWER, body="so100")
