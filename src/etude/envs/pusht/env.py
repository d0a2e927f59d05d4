"""PushT of the package gym-pusht."""

from __future__ import annotations

from etude.envs.gymnasium_env import GymnasiumEnv, make
from etude.envs.pusht.config import Config

HZ = 10.0
NAMES = ("motor_0", "motor_1")
"""What x and y are called in the published datasets."""
_FILM_PX = 288


def build(config: Config) -> GymnasiumEnv:
    """Make the plane; raise `MissingExtra` where gym-pusht is not installed."""
    env = make(
        f"gym_pusht/{config.task}",
        "pusht",
        max_ticks=config.episode_length,
        obs_type=config.obs_type,
        observation_width=config.observation_width,
        observation_height=config.observation_height,
        visualization_width=_FILM_PX,
        visualization_height=_FILM_PX,
    )
    return GymnasiumEnv(env, hz=HZ, max_ticks=config.episode_length, names=NAMES)
