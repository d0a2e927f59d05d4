"""A Koch leader."""

from __future__ import annotations

from etude.hardware.leader import Leader
from etude.hardware.teleoperators.koch_leader.config import Config
from etude.hardware.teleoperators.koch_leader.kind import KOCH_LEADER


def build(config: Config) -> Leader:
    """Make the teleoperator; it is not connected yet."""
    return Leader(KOCH_LEADER, config, uses_degrees=False, gripper_open=config.gripper_open_pos)
