"""An SO-101 leader."""

from __future__ import annotations

from etude.hardware.leader import Leader
from etude.hardware.teleoperators.so101_leader.config import Config
from etude.hardware.teleoperators.so101_leader.kind import SO101_LEADER


def build(config: Config) -> Leader:
    """Make the teleoperator; it is not connected yet."""
    return Leader(SO101_LEADER, config, uses_degrees=config.use_degrees)
