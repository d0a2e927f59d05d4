"""An SO-101 follower; the simulated arm is driven by the same bytes."""

from __future__ import annotations

from dataclasses import replace

from etude.hardware.arm_kind import ArmKind
from etude.hardware.follower import Follower
from etude.hardware.robots.so101_follower.config import Config, SoConfig
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER


def build(config: Config) -> Follower:
    """Make the robot; it is not connected yet."""
    return Follower(with_gains(SO101_FOLLOWER, config), config)


def with_gains(kind: ArmKind, config: SoConfig) -> ArmKind:
    """Give `kind` with the stiffness that `config` chooses."""
    gains = {
        "P_Coefficient": config.position_p_coefficient,
        "I_Coefficient": config.position_i_coefficient,
        "D_Coefficient": config.position_d_coefficient,
    }
    return replace(kind, settings={**kind.settings, "": {**kind.settings[""], **gains}})
