"""Recording that is killed, on a full disk, or without its camera."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.draft import drafts
from etude.data.formats.lerobot_v3.config import Config

WORKER = Path(__file__).with_name("recording_faults.py")


def kill(folder, times):
    """Kill a recording so many times, at instants that differ from run to run."""
    command = [sys.executable, str(WORKER), str(folder), str(times), str(time.time_ns() % 2**32)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_nothing_is_lost(facts):
    for fact in facts:
        assert fact["problems"] == []
        # One more may have been committed and not yet announced.
        assert fact["episodes"] in (fact["announced"], fact["announced"] + 1)
        assert all(0 <= frames <= 5 for frames in fact["drafts"])


def test_kill_9_at_any_instant_loses_no_saved_episode(tmp_path):
    assert_nothing_is_lost(kill(tmp_path, 8))


@pytest.mark.slow
def test_kill_9_at_two_hundred_instants(tmp_path):
    facts = kill(tmp_path, 200)
    assert len(facts) == 200
    assert_nothing_is_lost(facts)
    assert any(frames for fact in facts for frames in fact["drafts"]), "no draft was salvaged"


FILL = """
import subprocess, sys
import numpy as np
from etude.core.errors import DatasetError
from etude.core.spec import Spec
from etude.data import create_dataset

subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", sys.argv[1]], check=True)
specs = {"action": Spec(shape=(2,)), "cam": Spec(shape=(64, 64, 3), dtype="uint8")}
writer = create_dataset(f"{sys.argv[1]}/dataset", specs, fps=10)
rng = np.random.default_rng(0)
try:
    for episode in range(1000):
        for tick in range(10):
            noise = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            writer.add_frame({"action": np.array([episode, tick], np.float32), "cam": noise})
        writer.save_episode("Fill")
except DatasetError as error:
    print(error)
writer.close()
print(writer.num_episodes)
subprocess.run(["cp", "-r", f"{sys.argv[1]}/.", sys.argv[2]], check=True)
"""


def may_mount():
    """Whether this user may have a file system of their own."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not may_mount(), reason="needs user name spaces, to have a small disk")
def test_a_full_disk_loses_no_saved_episode(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "copy").mkdir()
    command = ["unshare", "-rm", sys.executable, "-c", FILL, str(tmp_path / "disk"), str(tmp_path / "copy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    message, saved = done.stdout.splitlines()
    assert "disk full" in message or "No space left on device" in message
    root = tmp_path / "copy/dataset"
    dataset = open_dataset(root)
    assert len(dataset.episodes) == int(saved) > 3
    assert check(root) == []
    assert dataset.column("action")[-1].tolist() == [int(saved) - 1, 9]


def test_an_episode_that_breaks_off_stays_as_a_draft(tmp_path, specs, make_frame, make_dataset):
    root = make_dataset(tmp_path / "new", [2])
    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=True, config=Config.tiny())
    for tick in range(3):
        writer.add_frame(make_frame(1, tick))
    writer.leave_episode()  # as when a camera fails
    writer.close()
    [draft] = drafts(root)
    assert (draft.num_frames, draft.fps) == (3, 10)
    assert draft.specs == specs
    assert len(open_dataset(root).episodes) == 1

    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=True, config=Config.tiny())
    writer.keep_draft(draft, "Do it")
    writer.close()
    dataset = open_dataset(root)
    assert check(root) == []
    assert dataset.column("observation.state").tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]]
    assert drafts(root) == []
