"""The simulated ALOHA of the package gym-aloha, drawing only what is looked at."""

from __future__ import annotations

import importlib
from typing import Any

from etude.core.errors import MissingExtra
from etude.envs.aloha.config import Config
from etude.envs.gymnasium_env import GymnasiumEnv, make

HZ = 50.0
_JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
NAMES = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in _JOINTS)
"""What the joints are called in the published datasets."""
VIEW = "top"


def build(config: Config) -> GymnasiumEnv:
    """Set the table; raise `MissingExtra` where gym-aloha is not installed."""
    try:
        importlib.import_module("etude.hardware.physics")  # lets MuJoCo draw without a display
    except MissingExtra as error:
        raise MissingExtra("The environment aloha", "aloha") from error
    env = make(
        f"gym_aloha/{config.task}",
        "aloha",
        max_ticks=config.episode_length,
        obs_type=config.obs_type,
        observation_width=config.observation_width,
        observation_height=config.observation_height,
    )
    _draw_one_view(env.unwrapped, config)
    return GymnasiumEnv(env, hz=HZ, max_ticks=config.episode_length, names=NAMES)


def _draw_one_view(aloha: Any, config: Config) -> None:
    """Draw the one view that is observed, at its size: gym-aloha draws three in each tick, 640 x 480, and drops two."""
    simulation = aloha._env  # noqa: SLF001  there is no other way to it
    task, model = simulation.task, simulation.physics.model.ptr
    if config.quality == "fast":
        model.vis.quality.offsamples = 0
        model.light_castshadow[:] = False

    def observed(physics: Any) -> dict[str, Any]:
        picture = physics.render(config.observation_height, config.observation_width, camera_id=VIEW)
        return {"qpos": task.get_qpos(physics), "images": {VIEW: picture}}

    task.get_observation = observed
