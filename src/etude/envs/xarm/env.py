"""Why there is no xArm."""

from __future__ import annotations

from typing import NoReturn

from etude.core.errors import UserError
from etude.envs.xarm.config import Config


def build(config: Config) -> NoReturn:
    """Raise `UserError`, whatever is asked for."""
    raise UserError(
        f"{config.task} cannot be run: gym-xarm's last release (0.1.1) works only with gymnasium==0.29.1 and "
        "mujoco==2.3.7, and Etude needs newer ones of both. Try --env.type=so101_pick_place, aloha or pusht."
    )
