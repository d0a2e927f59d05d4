import json
import shutil
from pathlib import Path

import numpy as np

from etude.core.spec import Spec
from etude.data import create_dataset
from etude.data.dataset import Timing

GOLDEN = Path(__file__).parents[1] / "golden/lerobot_v3"


def test_a_page_that_a_person_reads(etude, tmp_path):
    root = tmp_path / "blocks"
    specs = {"action": Spec(shape=(2,), names=("pan.pos", "lift.pos"))}
    writer = create_dataset(root, specs, fps=10, robot_type="so101_follower")
    for episode, length in enumerate((20, 40)):
        for tick in range(length):
            writer.add_frame({"action": np.zeros(2, np.float32)}, Timing(time_s=tick / 8, is_late=tick == 3))
        writer.save_episode("Put it there" if episode else "Fetch it")
    writer.close()
    code, out, _ = etude("dataset", "info", root)
    assert code == 0
    assert out.splitlines()[:-1] == [
        f"{root}: lerobot_v3, so101_follower",
        "2 episodes, 60 frames, 6.0 s at 10 Hz (episodes of 2.0 to 4.0 s, half of them below 3.0 s)",
        "",
        "Keys",
        "  action  float32[2]            pan.pos, lift.pos",
        "",
        "Tasks (2)",
        "       1 episodes  Fetch it",
        "       1 episodes  Put it there",
        "",
        "Timing: 2 of 60 frames came late, really at 8.0 Hz",
    ]
    assert out.splitlines()[-1].startswith("Size:   ")


def test_edits_and_drafts(etude, tmp_path):
    root = shutil.copytree(GOLDEN, tmp_path / "dataset")
    assert etude("dataset", "stats", root, "--recompute", "--json")[0] == 0
    out = etude("dataset", "info", root)[1]
    assert "Edited: 1 times, last: measured all keys again; --undo of any edit takes it back" in out
    assert json.loads(etude("dataset", "info", root, "--json")[1])["version"]["number"] == 1
