"""The commands that move a robot, by the words a user types, on robots that need no hardware."""

import json

import numpy as np
import pytest

from etude.data import open_dataset
from etude.data.check import check
from etude.hardware.bodies.so101 import SO101
from etude.hardware.calibration import load_calibration

FAKE = ("--robot.type=fake", "--teleop.type=fake")
SIM = ("--robot.type=so101_follower", "--robot.port=sim", "--teleop.type=so101_leader", "--teleop.port=sim")
TASK = "--dataset.single_task=Wave"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETUDE_HOME", str(tmp_path / "home"))


@pytest.fixture
def waves(etude, tmp_path):
    """Two recorded episodes of a fake robot."""
    root = tmp_path / "waves"
    code, _, err = etude(
        "record", *FAKE, "--teleop.num_ticks=6", f"--dataset.root={root}", TASK, "--dataset.num_episodes=2",
        "--dataset.reset_time_s=0.05", "--warmup_time_s=0.1",
    )  # fmt: skip
    assert code == 0, err
    return root


def test_warming_up_and_putting_things_back_are_not_recorded(waves):
    assert check(waves) == []
    assert [len(episode) for episode in open_dataset(waves).episodes] == [6, 6]


def test_a_replay_goes_gently_to_where_the_recording_begins_and_says_how_far_that_was(etude, waves):
    code, _, err = etude("replay", "--robot.type=fake", "--robot.seed=3", f"--dataset.root={waves}")
    assert code == 0, err
    assert "off where the recording begins; the arm went there gently." in err
    assert "Replayed 6 frames" in err


def test_driving_ends_with_the_demonstration_and_tells_the_pace(etude):
    code, _, err = etude("teleoperate", *FAKE, "--teleop.num_ticks=7", "--fps=200")
    assert code == 0, err
    assert "Drove 7 ticks" in err


def test_driving_ends_when_the_time_is_up(etude):
    code, _, err = etude("teleoperate", *FAKE, "--teleop.num_ticks=700", "--fps=100", "--teleop_time_s=0.1")
    assert code == 0, err
    assert "Drove 10 ticks" in err


@pytest.mark.parametrize("words", [["--fps=0"], ["--teleop_time_s=0"]])
def test_senseless_times_are_refused(etude, words):
    code, _, err = etude("teleoperate", *FAKE, *words)
    assert code == 2
    assert "--fps should be at least 1 and --teleop_time_s above 0." in err


def test_a_teleoperator_that_does_not_fit_is_refused_before_anything_moves(etude):
    code, _, err = etude("teleoperate", "--robot.type=fake", "--teleop.type=fake", "--teleop.num_joints=3")
    assert code == 2
    assert "does not fit the robot" in err


def test_a_leader_drives_a_follower_in_simulation_and_what_it_shows_is_recorded(etude, tmp_path):
    code, _, err = etude("teleoperate", *SIM, "--teleop_time_s=1", "--fps=30")
    assert code == 0, err
    assert "Drove 30 ticks in 1.0 s" in err
    code, _, err = etude(
        "record", *SIM, f"--dataset.root={tmp_path / 'led'}", TASK, "--dataset.num_episodes=1",
        "--dataset.episode_time_s=20",
    )  # fmt: skip
    assert code == 0, err
    assert check(tmp_path / "led") == []
    kept = {path.stem: set(load_calibration(path)) for path in (tmp_path / "led/meta/calibration").iterdir()}
    assert kept == {"so_follower": set(SO101.joints), "so_leader": set(SO101.joints)}
    dataset = open_dataset(tmp_path / "led")
    state, action = dataset.column("observation.state"), dataset.column("action")
    assert np.ptp(state[:, 0]) > 5, "the arm moved"
    assert np.abs(state[10:] - action[9:-1]).max(0)[:5].max() < 25, "and followed"


def test_the_run_tells_what_was_recorded(waves, tmp_path):
    (events,) = (tmp_path / "outputs").rglob("events.jsonl")
    last = json.loads(events.read_text().splitlines()[-1])
    assert (last["kind"], last["episodes"], last["discarded"]) == ("finished", 2, 0)
