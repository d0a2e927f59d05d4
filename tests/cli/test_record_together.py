"""Recording in several processes, by the words a user types."""

import numpy as np
import pytest

from etude.data import open_dataset
from etude.data.check import check

SIM = ("--robot.type=so101_follower", "--robot.port=sim", "--teleop.type=scripted", "--teleop.noise=0.5")
TASK = "--dataset.single_task=Put it away"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETUDE_HOME", str(tmp_path / "home"))


def test_the_episodes_are_those_of_one_process(etude, tmp_path):
    for num in (1, 2):
        words = (
            f"--dataset.root={tmp_path / str(num)}",
            "--dataset.num_episodes=2",
            "--noise=0.2",
            f"--num_processes={num}",
        )
        code, _, err = etude("record", *SIM, TASK, *words)
        assert code == 0, err
        assert "now holds 2 episodes (0 demonstrations discarded)" in err
        assert check(tmp_path / str(num)) == []
    alone, together = (open_dataset(tmp_path / str(num)) for num in (1, 2))
    assert [len(each) for each in together.episodes] == [len(each) for each in alone.episodes]
    for key in ("observation.state", "action", "episode_index"):
        np.testing.assert_array_equal(together.column(key), alone.column(key))
    rows = np.arange(0, len(alone.column("index")), 67)
    for key in ("observation.images.front", "observation.images.wrist"):
        np.testing.assert_array_equal(together.images(key, rows), alone.images(key, rows))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--robot.type=fake", "--teleop.type=fake"), "There is only one real robot, and only one person"),
        ((*SIM[:2], "--teleop.type=keyboard"), "There is only one real robot, and only one person"),
        ((*SIM[:3], "--num_processes=0"), "--num_processes should be at least 1, got 0."),
    ],
)
def test_what_cannot_be_shared_is_refused(etude, tmp_path, words, sentence):
    code, _, err = etude("record", "--num_processes=2", *words, TASK, f"--dataset.root={tmp_path / 'refused'}")
    assert code == 2
    assert sentence in err
    assert not (tmp_path / "refused").exists()
