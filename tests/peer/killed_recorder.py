"""Records without end into the folder that is given, until it is killed; prints a line after each episode."""

import sys
from pathlib import Path

import numpy as np

from etude.core.spec import Spec
from etude.data import create_dataset
from etude.data.formats.lerobot_v3.config import Config

SPECS = {"action": Spec(shape=(2,)), "observation.images.front": Spec(shape=(48, 64, 3), dtype="uint8")}

writer = create_dataset(Path(sys.argv[1]), SPECS, fps=10, config=Config.tiny())
episode = 0
while True:
    for tick in range(6):
        picture = np.full((48, 64, 3), 20 + 30 * (episode % 6) + 8 * tick, np.uint8)
        writer.add_frame({"action": np.array([episode, tick], np.float32), "observation.images.front": picture})
    writer.save_episode("Do it")
    episode += 1
    sys.stdout.write(f"{episode}\n")
    sys.stdout.flush()
