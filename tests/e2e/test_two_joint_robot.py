"""A robot that lives in a folder of its own, outside of the package, is recorded through the command line."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from etude.data import open_dataset

EXAMPLE = Path(__file__).parents[2] / "examples" / "two_joint_robot"


@pytest.fixture
def installed(tmp_path):
    """What `pip install -e examples/two_joint_robot` leaves behind, as environment variables."""
    info = tmp_path / "site" / "two_joint_robot-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: two-joint-robot\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[etude.hardware.robots]\ntwo_joints = two_joint_robot\n")
    path = os.pathsep.join([str(info.parent), str(EXAMPLE.parent)])
    return os.environ | {"PYTHONPATH": path, "HF_LEROBOT_HOME": str(tmp_path)}


def test_it_is_under_sixty_lines():
    files = [*EXAMPLE.glob("*.py"), EXAMPLE / "pyproject.toml"]
    assert sum(len(file.read_text().splitlines()) for file in files) < 60


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_it_is_found_driven_and_recorded(etude, installed, live, tmp_path):
    done = etude(
        "record", "--robot.type=two_joints", f"--robot.port={live.port.link}", "--teleop.type=fake",
        "--teleop.num_joints=2", "--teleop.num_ticks=20", f"--dataset.root={tmp_path / 'nods'}",
        "--dataset.repo_id=me/nods", "--dataset.num_episodes=1", "--dataset.single_task=Nod", env=installed,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    dataset = open_dataset(tmp_path / "nods")
    assert dataset.episodes.length.tolist() == [20]
    actions = dataset.column("action")
    assert actions.shape == (20, 2)
    assert np.ptp(actions, axis=0).min() > 1.0
