import json
import shutil

from etude.data import open_dataset
from etude.data.info import summary
from etude.data.recompute import recompute


def test_a_summary_is_plain_json(dataset):
    facts = summary(dataset)
    assert json.loads(json.dumps(facts)) == facts
    size, size_of = facts.pop("size_bytes"), facts.pop("size_of")
    assert size == sum(path.stat().st_size for path in dataset.root.rglob("*") if path.is_file()) > 0
    assert size == sum(size_of.values())
    assert size_of["videos"] == sum(path.stat().st_size for path in dataset.root.rglob("*.mp4"))
    assert facts == {
        "root": str(dataset.root),
        "format": "lerobot_v3",
        "total_episodes": 3,
        "total_frames": 8,
        "fps": 10,
        "robot_type": "fake",
        "features": {
            "observation.state": "float32[2]",
            "action": "float32[2]",
            "observation.images.front": "uint8[48, 64, 3]",
        },
        "names": {"observation.state": ["pan.pos", "lift.pos"], "action": ["pan.pos", "lift.pos"]},
        "tasks": ["Do it"],
        "episodes_of_task": {"Do it": 3},
        "seconds": {"total": 0.8, "shortest": 0.1, "median": 0.3, "longest": 0.4},
        "timing": None,
        "version": None,
        "drafts": 0,
        "codec": {"observation.images.front": "av1"},
        "notes": [],
    }


def test_tasks_are_counted_and_the_last_edit_is_named(recorded, make_dataset, tmp_path):
    root = shutil.copytree(recorded, tmp_path / "dataset")
    make_dataset(root, [2, 2], first=3, resume=True, task="Do that")
    recompute(root, ["action"])
    facts = summary(open_dataset(root))
    assert facts["episodes_of_task"] == {"Do it": 3, "Do that": 2}
    assert facts["version"] == {"number": 1, "last_edit": "measured action again", "can_undo": True}
