"""`etude record --noise`: the arm is led astray, and what was meant is recorded."""

import numpy as np
import pytest

from etude.data import open_dataset
from etude.data.check import check
from etude.hardware.follower import Follower
from etude.rollout.agents import TeleoperatorAgent

SIM = ("--robot.type=so101_follower", "--robot.port=sim", "--robot.cameras={}")
LEADER = ("--teleop.type=so101_leader", "--teleop.port=sim")
TASK = "--dataset.single_task=Wave"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETUDE_HOME", str(tmp_path / "home"))


@pytest.fixture
def heard(monkeypatch):
    """What the leader gives and what the follower is then asked for, as it comes."""
    poses, asked, act, apply = [], [], TeleoperatorAgent.act, Follower.apply
    monkeypatch.setattr(TeleoperatorAgent, "act", lambda self, frame: poses.append(act(self, frame)) or poses[-1])
    monkeypatch.setattr(Follower, "apply", lambda self, action: asked.append(action) or apply(self, action))
    return poses, asked


def test_a_follower_is_led_astray_and_its_leaders_pose_is_recorded(etude, tmp_path, heard):
    root = tmp_path / "led"
    words = ("--dataset.num_episodes=1", "--dataset.episode_time_s=8", "--noise=1")
    code, _, err = etude("record", *SIM, *LEADER, f"--dataset.root={root}", TASK, *words)
    assert code == 0, err
    assert check(root) == []
    recorded = open_dataset(root).column("action")
    poses, asked = (np.array(each[: len(recorded)]) for each in heard)
    assert np.abs(asked - poses)[:, :5].max() > 3
    assert (asked == poses)[:, 5].all(), "the gripper is left alone"
    assert (recorded == poses).mean() > 0.9, "but for what the gate held back"


def test_noise_out_of_range_is_refused(etude, tmp_path):
    code, _, err = etude("record", *SIM, *LEADER, f"--dataset.root={tmp_path / 'd'}", TASK, "--noise=2")
    assert code == 2
    assert "--noise should be from 0 to 1, got 2.0." in err


def test_a_robot_of_unknown_units_is_refused(etude, tmp_path):
    words = ("--robot.type=fake", "--teleop.type=fake", f"--dataset.root={tmp_path / 'd'}", TASK, "--noise=0.5")
    code, _, err = etude("record", *words)
    assert code == 2
    assert "'fake' does not tell which of them it takes. Leave --noise out." in err
