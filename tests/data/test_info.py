import json

from etude.data.info import summary


def test_a_summary_is_plain_json(dataset):
    facts = summary(dataset)
    assert json.loads(json.dumps(facts)) == facts
    size = facts.pop("size_bytes")
    assert size == sum(path.stat().st_size for path in dataset.root.rglob("*") if path.is_file()) > 0
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
        "tasks": ["Do it"],
        "codec": {"observation.images.front": "av1"},
    }
