"""An SO-100 leader."""

from __future__ import annotations

from etude.hardware.leader import Leader
from etude.hardware.teleoperators.so100_leader.config import Config
from etude.hardware.teleoperators.so100_leader.kind import SO100_LEADER


def build(config: Config) -> Leader:
    """Make the teleoperator; it is not connected yet."""
    return Leader(SO100_LEADER, config, uses_degrees=config.use_degrees)
