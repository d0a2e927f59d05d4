"""What the golden dataset `lerobot_unfinished` holds, as formulas: for the script that made it and for the tests."""

from __future__ import annotations

import numpy as np

FPS = 10
ROBOT_TYPE = "so_follower"
JOINTS = ("shoulder_pan.pos", "gripper.pos")
CAMERA, SIZE = "observation.images.front", (64, 64)
TASKS = ("Pick up the cube", "Put it down")
LENGTHS = tuple(3 + episode % 3 for episode in range(12))
"""Frames of the episodes that were saved; the process was killed while it recorded one more."""
NUM_OPEN = 2
"""Frames of the episode that was not saved."""


def task(episode: int) -> str:
    """What is to be done in an episode."""
    return TASKS[episode % 5 == 4]


def state(episode: int, tick: int) -> np.ndarray:
    """Joint positions, exact in float32."""
    return np.array([episode + tick / 4, -tick], np.float32)


def action(episode: int, tick: int) -> np.ndarray:
    """Where the joints are told to go: half a unit ahead."""
    return state(episode, tick) + np.float32(0.5)


def picture(episode: int, tick: int) -> np.ndarray:
    """A plain colour per frame, so that it survives compression and tells which frame it is."""
    return np.full((*SIZE, 3), 20 + 16 * episode + 3 * tick, np.uint8)
