"""Draws the pictures in the README: the simulated arm, as its two cameras see it while it lifts the block."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from etude.envs.robot_env import RobotEnv
from etude.hardware import robots, teleoperators
from etude.hardware.device import connected
from etude.rollout.agents import TeleoperatorAgent
from etude.rollout.loop import rollout
from etude.sim.world import shared_world

FOLDER = Path("docs/images")
SIZE = (480, 640)
SEED, TICK = 7, 62


def main() -> None:
    """Demonstrate until the block is in the air, then take the pictures at twice their size and shrink them."""
    world = shared_world()
    robot = robots.build(robots.config("so101_follower")())
    teleoperator = teleoperators.build(teleoperators.config("scripted")())
    with connected(robot, teleoperator):
        rollout(RobotEnv(robot), TeleoperatorAgent(teleoperator), max_ticks=TICK, seed=SEED)
        views = [world.render(view, 2 * SIZE[0], 2 * SIZE[1]) for view in ("front", "wrist")]
    small = [cv2.resize(view, SIZE[::-1], interpolation=cv2.INTER_AREA) for view in views]
    FOLDER.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(FOLDER / "arm.png"), cv2.cvtColor(np.concatenate(small, axis=1), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
