"""The SO-101's driver and two simulated cameras, as an environment."""

from __future__ import annotations

from etude.envs.robot_env import RobotEnv
from etude.envs.so101_pick_place.config import Config
from etude.hardware import cameras, robots


def build(config: Config) -> RobotEnv:
    """Connect the simulated arm and put it at its table."""
    camera = cameras.config("sim")
    views = {view: camera(view=view, width=config.width, height=config.height) for view in ("front", "wrist")}
    robot = robots.build(robots.config("so101_follower")(port="sim", cameras=views))
    robot.connect()
    return RobotEnv(robot, hz=config.hz, max_ticks=round(config.max_seconds * config.hz))
