"""An SO-100 follower, which to a driver is an SO-101."""

from __future__ import annotations

from etude.hardware.follower import Follower
from etude.hardware.robots.so100_follower.config import Config
from etude.hardware.robots.so100_follower.kind import SO100_FOLLOWER
from etude.hardware.robots.so101_follower.robot import with_gains


def build(config: Config) -> Follower:
    """Make the robot; it is not connected yet."""
    return Follower(with_gains(SO100_FOLLOWER, config), config)
