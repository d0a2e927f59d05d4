"""A Koch follower."""

from __future__ import annotations

from etude.hardware.follower import Follower
from etude.hardware.robots.koch_follower.config import Config
from etude.hardware.robots.koch_follower.kind import KOCH_FOLLOWER


def build(config: Config) -> Follower:
    """Make the robot; it is not connected yet."""
    return Follower(KOCH_FOLLOWER, config)
