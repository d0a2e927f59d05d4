import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset
from etude.data.formats.lerobot_v3.config import Config

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def root(tmp_path):
    return shutil.copytree(GOLDEN / "lerobot_v3", tmp_path / "dataset")


def test_a_sound_dataset(etude, root):
    assert etude("dataset", "check", root)[:2] == (0, f"{root} is sound.\n")
    assert etude("dataset", "check", root, "--deep")[:2] == (0, f"{root} is sound, every picture of it.\n")


def test_a_problem_is_a_sentence_with_the_command_that_mends_it(etude, root):
    path = root / "meta/stats.json"
    stats = json.loads(path.read_text())
    del stats["action"]
    path.write_text(json.dumps(stats))
    said = f"meta/stats.json: 'action' has no statistics. Measure again: etude dataset stats {root} --recompute\n"
    assert etude("dataset", "check", root)[:2] == (1, said)
    code, out, _ = etude("dataset", "check", root, "--json")
    assert code == 1
    assert json.loads(out) == {
        "problems": [
            {
                "what": "'action' has no statistics",
                "where": "meta/stats.json",
                "remedy": f"Measure again: etude dataset stats {root} --recompute",
            }
        ],
        "notes": [],
    }
    assert etude("dataset", "stats", root, "--recompute", "--json")[0] == 0
    assert etude("dataset", "check", root)[0] == 0


def test_a_folder_that_is_no_dataset_is_a_user_error(etude, tmp_path):
    assert etude("dataset", "check", tmp_path)[0] == 2


def test_episodes_are_judged_one_by_one(etude, root):
    code, out, _ = etude("dataset", "check", root, "--by_episode")
    assert code == 0
    assert out.startswith(f"{root} is sound.\n")
    assert len([line for line in out.splitlines() if line.startswith("│")]) == 3
    code, out, _ = etude("dataset", "check", root, "--by_episode", "--json")
    judged = json.loads(out)
    assert (code, judged["problems"]) == (0, [])
    assert [each["episode"] for each in judged["episodes"]] == [0, 1, 2]
    assert set(judged["episodes"][0]) == {"episode", "seconds", "pauses", "idle", "shake", "late", "travel"}


def test_outliers_of_too_few_episodes_are_a_user_error(etude, root):
    code, _, error = etude("dataset", "check", root, "--outliers")
    assert code == 2
    assert "has 3 episodes; to tell which of them are unlike the others takes 8" in error


def test_episodes_of_a_damaged_dataset_are_not_judged(etude, root):
    (root / "meta/stats.json").unlink()
    code, out, error = etude("dataset", "check", root, "--outliers")
    assert code == 1
    assert "Mend that first" in out + error


@pytest.fixture
def recorded(tmp_path):
    """Nine reaches, of which the sixth takes a third of the time."""
    root = tmp_path / "reaches"
    specs = dict.fromkeys(("observation.state", "observation.environment_state", "action"), Spec(shape=(1,)))
    writer = create_dataset(root, specs, fps=10, config=Config.tiny())
    for episode in range(9):
        for command in np.linspace(0, 10 + episode / 10, 11 if episode == 5 else 31):
            writer.add_frame(dict.fromkeys(specs, np.array([command], np.float32)))
        writer.save_episode("Reach")
    writer.close()
    return root


def test_outliers_are_sentences_with_what_to_do(etude, recorded):
    code, out, _ = etude("dataset", "check", recorded, "--outliers")
    assert code == 0
    sound, outlier, look, leave_out = out.splitlines()
    assert sound == f"{recorded} is sound."
    assert outlier.startswith("Episode 5 ")
    assert "takes only 1.1 s, others 3.1 s" in outlier
    assert look == f"To look at one: etude dataset viz {recorded} --episode=5"
    assert leave_out == f"To leave out what is a mistake: etude dataset delete {recorded} --episodes=5"
    (only,) = json.loads(etude("dataset", "check", recorded, "--outliers", "--json")[1])["outliers"]
    assert only["episode"] == 5


def test_a_policy_tells_where_it_errs(etude, recorded, tmp_path):
    words = ["--policy.preset=tiny", "--steps=0", "--device=cpu", "--bf16=off", f"--output_dir={tmp_path / 'run'}"]
    assert etude("train", f"--dataset.root={recorded}", *words)[0] == 0
    policy = f"--policy.path={tmp_path / 'run/checkpoints/last'}"
    judged = json.loads(etude("dataset", "check", recorded, policy, "--json")[1])
    assert all(each["error"] > 0 for each in judged["episodes"])
    assert "outliers" in judged
