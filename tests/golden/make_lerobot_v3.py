"""Makes the golden dataset `lerobot_v3/` with LeRobot 0.4.4 itself; not a test, and not needed to run them.

Run it where LeRobot is installed: `python tests/golden/make_lerobot_v3.py FOLDER`. Three episodes, two tasks, one
64 x 64 camera (the least that SVT-AV1 takes) and one 64 x 96 camera; the values are those of `lerobot_v3_facts.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot_v3_facts import CAMERAS, EPISODES, FPS, JOINTS, ROBOT_TYPE, action, picture, state


def features() -> dict:
    """Describe the columns as LeRobot's recorder does."""
    vector = {"dtype": "float32", "shape": (len(JOINTS),), "names": list(JOINTS)}
    cameras = {
        key: {"dtype": "video", "shape": (*size, 3), "names": ["height", "width", "channels"]}
        for key, size in CAMERAS.items()
    }
    return {"action": vector, "observation.state": vector} | cameras


def main(root: Path) -> None:
    """Record the three episodes."""
    dataset = LeRobotDataset.create("golden/lerobot_v3", FPS, features(), root=root, robot_type=ROBOT_TYPE)
    for episode, (length, task) in enumerate(EPISODES):
        for tick in range(length):
            pictures = {key: picture(key, episode, tick) for key in CAMERAS}
            vectors = {"action": action(episode, tick), "observation.state": state(episode, tick)}
            dataset.add_frame(vectors | pictures | {"task": task})
        dataset.save_episode()
    dataset.finalize()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
