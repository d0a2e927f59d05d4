"""Makes the golden dataset `lerobot_unfinished/`: LeRobot 0.4.4 itself, killed while it records; not a test.

Run it with the Python of `scripts/peer_venv.sh`: `python tests/golden/make_lerobot_unfinished.py FOLDER`.
The values are those of `lerobot_unfinished_facts.py`. What such a process leaves behind: frames and episodes in tables
without a footer, the last two of twelve episodes in no table, and `info.json` that tells of all twelve.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot_unfinished_facts import (
    CAMERA,
    FPS,
    JOINTS,
    LENGTHS,
    NUM_OPEN,
    ROBOT_TYPE,
    SIZE,
    action,
    picture,
    state,
    task,
)


def features() -> dict:
    """Describe the columns as LeRobot's recorder does."""
    vector = {"dtype": "float32", "shape": (len(JOINTS),), "names": list(JOINTS)}
    camera = {"dtype": "video", "shape": (*SIZE, 3), "names": ["height", "width", "channels"]}
    return {"action": vector, "observation.state": vector, CAMERA: camera}


def main(root: Path) -> None:
    """Record, and die."""
    dataset = LeRobotDataset.create("golden/unfinished", FPS, features(), root=root, robot_type=ROBOT_TYPE)
    for episode, length in enumerate((*LENGTHS, NUM_OPEN)):
        for tick in range(length):
            vectors = {"action": action(episode, tick), "observation.state": state(episode, tick)}
            dataset.add_frame(vectors | {CAMERA: picture(episode, tick), "task": task(episode)})
        if episode < len(LENGTHS):
            dataset.save_episode()
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
