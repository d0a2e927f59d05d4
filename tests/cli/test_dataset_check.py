import json
import shutil
from pathlib import Path

import pytest

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
