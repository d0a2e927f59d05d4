"""Records in child processes and kills them: `python recording_faults.py FOLDER KILLS SEED`.

Prints a JSON object per kill: the episodes that were announced as saved, and those that the dataset then holds.
"""

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.draft import drafts
from etude.data.formats.lerobot_v3.config import Config

CONFIG = replace(Config.tiny(), compact=True)
SPECS = {"action": Spec(shape=(2,)), "cam": Spec(shape=(64, 64, 3), dtype="uint8")}
LENGTH = 5


def grey(episode, tick):
    return (40 * episode + 5 * tick) % 200 + 20


def record(root, announce):
    """Record until killed, announcing the number of saved episodes."""
    writer = create_dataset(root, SPECS, fps=10, resume=root.exists(), config=CONFIG)
    while True:
        for tick in range(LENGTH):
            episode = writer.num_episodes
            picture = np.full((64, 64, 3), grey(episode, tick), np.uint8)
            writer.add_frame({"action": np.array([episode, tick], np.float32), "cam": picture})
        writer.save_episode(f"Task {episode % 3}")
        os.write(announce, bytes([1]))
        if writer.num_episodes % 6 == 0:  # closing regroups the files, and a kill may come then, too
            writer.close()
            writer = create_dataset(root, SPECS, fps=10, resume=True, config=CONFIG)


def killed(root, announcements, after_s):
    """Record in a child, kill it so long after it announced so many episodes, and count all that it announced."""
    hear, announce = os.pipe()
    child = os.fork()
    if not child:
        os.close(hear)
        record(root, announce)
    os.close(announce)
    heard = b"".join(os.read(hear, 1) for _ in range(announcements))
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(hear, "rb") as pipe:
        return len(heard + pipe.read())


def examined(root):
    """Say what a dataset holds, and everything that is wrong with it."""
    problems = [str(problem) for problem in check(root)]
    dataset = open_dataset(root)
    count = len(dataset.episodes)
    wanted = [[episode, tick] for episode in range(count) for tick in range(LENGTH)]
    if dataset.column("action").tolist() != wanted:
        problems.append("the rows are not those that were recorded")
    shown = dataset.images("cam", np.arange(len(wanted)))[:, 0, 0, 0].astype(int)
    if np.abs(shown - [grey(*row) for row in wanted]).max(initial=0) > 3:
        problems.append("the pictures are not those that were recorded")
    return {"episodes": count, "problems": problems, "drafts": [draft.num_frames for draft in drafts(root)]}


def main():
    """Kill again and again; a dataset that has grown long is left for a new one."""
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = np.random.default_rng(seed)
    before, number = 0, 0
    for _ in range(kills):
        root = folder / f"dataset-{number}"
        announced = killed(root, rng.integers(0, 3), rng.uniform(0, 0.15))
        facts = examined(root) if (root / "meta/info.json").exists() else {"episodes": 0, "problems": [], "drafts": []}
        sys.stdout.write(json.dumps({"announced": before + announced} | facts) + "\n")
        before = facts["episodes"]
        if before > 40:
            before, number = 0, number + 1


if __name__ == "__main__":
    main()
