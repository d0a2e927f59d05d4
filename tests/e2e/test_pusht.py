"""The example that records PushT, and a policy that learns from it, through the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from etude.data import open_dataset

pytest.importorskip("gym_pusht")

EXAMPLE = Path(__file__).parents[2] / "examples" / "pusht" / "record.py"


def test_it_is_recorded_learned_and_done(etude, tmp_path):
    subprocess.run([sys.executable, EXAMPLE, tmp_path / "pushes", "--episodes=2", "--seed=3"], check=True, timeout=120)
    dataset = open_dataset(tmp_path / "pushes")
    assert len(dataset.episodes) == 2
    assert dataset.specs["observation.environment_state"].shape == (16,)
    trained = etude(
        "train", "--policy.type=diffusion", "--policy.preset=tiny", f"--dataset.root={tmp_path / 'pushes'}",
        "--steps=2", "--batch_size=4", f"--output_dir={tmp_path / 'run'}",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    done = etude(
        "eval", f"--policy.path={tmp_path / 'run' / 'checkpoints' / 'last'}", "--env.type=pusht",
        "--env.preset=keypoints", "--env.episode_length=20", "--eval.n_episodes=1", f"--output_dir={tmp_path / 'eval'}",
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["n"] == 1
