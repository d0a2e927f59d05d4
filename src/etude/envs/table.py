"""The SO-101's driver and two simulated cameras around a simulated table, as an environment."""

from __future__ import annotations

from etude.envs.robot_env import RobotEnv
from etude.envs.table_config import TableConfig
from etude.hardware import cameras, robots
from etude.sim.world import begin_world


def build(config: TableConfig) -> RobotEnv:
    """Set a table of its own for the task and connect the arm at it."""
    world = begin_world(config.task)
    camera = cameras.config("sim")
    views = {view: camera(view=view, width=config.width, height=config.height) for view in config.cameras}
    robot = robots.build(robots.config("so101_follower")(port="sim", cameras=views))
    robot.connect()
    assert robot.scene is world  # it is found by name: nobody may have begun another one in between
    return RobotEnv(robot, hz=config.hz, max_ticks=round(config.max_seconds * config.hz))
