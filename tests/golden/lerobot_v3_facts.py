"""What the golden dataset holds, as formulas: used by the script that made it and by the tests that read it."""

from __future__ import annotations

import numpy as np

FPS = 10
ROBOT_TYPE = "so_follower"
JOINTS = ("shoulder_pan.pos", "elbow_flex.pos", "gripper.pos")
CAMERAS = {"observation.images.front": (64, 64), "observation.images.wrist": (64, 96)}
EPISODES = ((4, "Pick up the cube"), (5, "Put it down"), (3, "Pick up the cube"))


def state(episode: int, tick: int) -> np.ndarray:
    """Joint positions: a line per joint, exact in float32."""
    return np.array([episode + tick / 4, -tick, 2 * episode], np.float32)


def action(episode: int, tick: int) -> np.ndarray:
    """Where the joints are told to go: half a unit ahead."""
    return state(episode, tick) + np.float32(0.5)


def picture(key: str, episode: int, tick: int) -> np.ndarray:
    """A plain colour per frame, so that it survives compression and tells which frame it is."""
    level = 30 + 60 * episode + 12 * tick
    return np.full((*CAMERAS[key], 3), level if key.endswith("front") else 255 - level, np.uint8)
