"""A leader drives a follower, both behind pseudo-terminals of `etude sim`, as two real arms would be driven."""

import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from etude.data import open_dataset
from etude.data.check import check
from etude.data.timing import TIME


@pytest.fixture(scope="module")
def arms(tmp_path_factory):
    """The words that use two simulated arms and a camera."""
    folder = tmp_path_factory.mktemp("arms")
    words = ["sim", f"--link={folder / 'arm'}", "--leader", "--width=64", "--height=48"]
    process = subprocess.Popen([sys.executable, "-m", "etude", *words], stdout=subprocess.PIPE, text=True)
    printed = ""
    while "stops" not in printed and (line := process.stdout.readline()):
        printed += line
    url = re.search(r"camera front: (\S+)", printed)[1]
    yield [
        "--robot.type=so101_follower", f"--robot.port={folder / 'arm'}", "--robot.id=sim",
        f"--robot.cameras={{front: {{type: mjpeg, url: '{url}'}}}}", f"--robot.calibration_dir={folder}",
        "--teleop.type=so101_leader", f"--teleop.port={folder / 'arm-leader'}", "--teleop.id=sim",
        f"--teleop.calibration_dir={folder}",
    ]  # fmt: skip
    process.send_signal(signal.SIGINT)
    process.wait(20)
    process.stdout.close()


def test_a_leader_drives_a_follower(etude, arms):
    done = etude("teleoperate", *arms, "--teleop_time_s=1", "--fps=30")
    assert done.returncode == 0, done.stderr
    assert "Drove 30 ticks" in done.stderr


def test_what_they_do_is_recorded_with_its_real_times_and_replayed(etude, arms, tmp_path):
    root = tmp_path / "led"
    done = etude(
        "record", *arms, f"--dataset.root={root}", "--dataset.single_task=Put the block into the bin",
        "--dataset.num_episodes=2", "--dataset.episode_time_s=1.5", "--dataset.reset_time_s=0.3",
        "--warmup_time_s=0.5", "--dataset.fps=20", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert check(root) == []
    dataset = open_dataset(root)
    assert [len(episode) for episode in dataset.episodes] == [30, 30]
    assert (np.diff(dataset.timing()[TIME][:30]) > 0).all()
    assert (root / "meta/calibration/so_follower.json").exists()
    robot = [word for word in arms if word.startswith("--robot")]
    done = etude("replay", *robot, f"--dataset.root={root}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\w+ was [\d.]+ off where the recording begins", done.stderr)
    assert "Replayed 30 frames" in done.stderr
