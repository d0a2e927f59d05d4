import subprocess
import sys

import pytest

SIM = ("--robot.type=so101_follower", "--robot.port=sim")
TASK = "--dataset.single_task=Put the block into the bin"


def etude(*words, **kwargs):
    """Run one command as a user does, in a process of its own."""
    command = [sys.executable, "-m", "etude", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)


@pytest.fixture(name="etude")
def etude_fixture():
    return etude


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """Three demonstrations, recorded through the command line."""
    root = tmp_path_factory.mktemp("story") / "blocks"
    done = etude(
        "record", *SIM, "--teleop.type=scripted", "--dataset.repo_id=me/blocks", f"--dataset.root={root}",
        "--dataset.num_episodes=3", TASK, "--seed=0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="session")
def trained(recorded, tmp_path_factory):
    """A tiny policy, trained for a moment on those demonstrations."""
    folder = tmp_path_factory.mktemp("story") / "run"
    done = etude(
        "train", "--policy.type=act", "--policy.preset=tiny", f"--dataset.root={recorded}", f"--output_dir={folder}",
        "--steps=6", "--batch_size=4", "--policy.device=cpu", "--policy.push_to_hub=false", "--wandb.enable=false",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder
