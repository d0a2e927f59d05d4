"""LeRobot itself opens, reads and extends what Etude wrote. Slow, and skipped without an environment with LeRobot."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.edit import edits
from etude.data.edit.apply import edit, undo
from etude.data.formats.lerobot_v3.config import Config
from etude.data.lerobot.salvage import salvage

pytestmark = pytest.mark.slow

FRONT, WRIST = "observation.images.front", "observation.images.wrist"
SPECS = {
    "observation.state": Spec(shape=(3,), names=("a", "b", "c")),
    "action": Spec(shape=(3,), names=("a", "b", "c")),
    "next.done": Spec(shape=(1,), dtype="bool"),
    FRONT: Spec(shape=(48, 64, 3), dtype="uint8"),
    WRIST: Spec(shape=(64, 96, 3), dtype="uint8"),
}
LENGTHS, TASKS = (5, 8, 3), ("Pick it up", "Put it down", "Pick it up")
CODEC_ERROR = 3
"""Two decoders of the same AV1 pictures differ only in how they make RGB of them."""

KILLS = 12
"""Recorders killed, at instants spread over the making of some episodes."""


def frame(episode, tick):
    state = np.array([episode, tick, episode * tick], np.float32)
    pictures = {key: np.full(SPECS[key].shape, 20 + 40 * episode + 8 * tick, np.uint8) for key in (FRONT, WRIST)}
    is_last = np.array([tick == LENGTHS[episode] - 1])
    return {"observation.state": state, "action": -state, "next.done": is_last} | pictures


def record(writer):
    for episode, (length, task) in enumerate(zip(LENGTHS, TASKS, strict=True)):
        for tick in range(length):
            writer.add_frame(frame(episode, tick))
        writer.save_episode(task)


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """Recorded and closed; tests only read it."""
    root = tmp_path_factory.mktemp("closed") / "dataset"
    writer = create_dataset(root, SPECS, fps=10, robot_type="so_follower", config=Config.tiny())
    record(writer)
    writer.close()
    return root


@pytest.fixture
def dataset(closed, tmp_path):
    return Path(shutil.copytree(closed, tmp_path / "dataset"))


@pytest.fixture
def assert_agrees(ask, tmp_path):
    def compare(root):
        """LeRobot sees in a dataset what Etude sees, value by value and picture by picture."""
        seen = ask("opens", root=root, out=tmp_path / "seen.npz")
        ours, theirs = open_dataset(root), np.load(tmp_path / "seen.npz")
        rows = np.arange(ours.episodes.num_frames)
        assert seen["out_of_place"] == []
        assert seen["lengths"] == ours.episodes.length.tolist()
        assert seen["tasks"] == list(ours.tasks)
        assert theirs["task"].tolist() == [each.tasks[0] for each in ours.episodes for _ in range(len(each))]
        assert seen["stats"].keys() >= ours.specs.keys()
        for key, spec in ours.specs.items():
            if spec.is_image:
                shown = np.round(theirs[key].transpose(0, 2, 3, 1) * 255).astype(int)
                assert np.abs(shown - ours.images(key, rows)).max() <= CODEC_ERROR, key
            else:
                np.testing.assert_array_equal(theirs[key].reshape(ours.column(key).shape), ours.column(key), key)
        return seen

    return compare


def test_it_reads_a_closed_dataset(assert_agrees, closed):
    assert assert_agrees(closed)["lengths"] == list(LENGTHS)


def test_it_reads_what_is_committed_while_the_recorder_is_open(assert_agrees, tmp_path):
    writer = create_dataset(tmp_path / "dataset", SPECS, fps=10, config=Config.tiny())
    record(writer)
    writer.add_frame(frame(0, 0))
    assert_agrees(tmp_path / "dataset")
    writer.close()


def test_it_records_on_top_and_we_read_and_check_that(ask, assert_agrees, closed, tmp_path):
    scratch = tmp_path / "extended"
    answer = ask("opens", root=closed, resume=5, scratch=scratch)
    assert answer["after"]["lengths"] == [*LENGTHS, 5, 5]
    assert check(scratch) == []
    assert_agrees(scratch)
    assert open_dataset(scratch).images(FRONT, np.arange(16, 21)).mean((1, 2, 3)) == pytest.approx(
        [0, 10, 20, 30, 40], abs=3
    )


EDITS = {
    "delete": lambda source: edits.delete(source, [1]),
    "trim": lambda source: edits.trimmed(source, {1: (1, 6)}),
    "rename": lambda source: edits.renamed(source, {"action": "action.joints"}),
    "remove-key": lambda source: edits.without(source, [WRIST]),
    "edit-tasks": lambda source: edits.retasked(source, {"Put it down": "Drop it"}),
    "reencode": lambda source: edits.recoded(source, vcodec="h264", crf=20, g=2),
}


@pytest.mark.parametrize("name", EDITS)
def test_it_reads_an_edited_dataset(assert_agrees, dataset, name):
    edit(dataset, name, EDITS[name])
    assert_agrees(dataset)


def test_it_reads_a_dataset_whose_edit_was_undone(assert_agrees, dataset):
    edit(dataset, "delete", EDITS["delete"])
    undo(dataset)
    assert assert_agrees(dataset)["lengths"] == list(LENGTHS)


def test_it_reads_and_extends_what_was_salvaged(ask, assert_agrees, tmp_path):
    root = Path(shutil.copytree(Path(__file__).parents[1] / "golden/lerobot_unfinished", tmp_path / "dataset"))
    salvage(root)
    assert assert_agrees(root)["episodes"] == 12
    answer = ask("opens", root=root, resume=3, scratch=tmp_path / "extended")
    assert answer["after"]["lengths"][-3:] == [5, 3, 3]
    assert check(tmp_path / "extended") == []


def kill_a_recorder(root, wait_s):
    """Record into `root`, kill that at an instant, and give the number of episodes that were surely saved."""
    command = [sys.executable, str(Path(__file__).with_name("killed_recorder.py")), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as recorder:
        saved = [int(recorder.stdout.readline()) for _ in range(2)][-1]
        time.sleep(wait_s)
        recorder.send_signal(signal.SIGKILL)
    return saved


def test_it_reads_what_a_killed_recorder_had_committed(ask, tmp_path):
    roots = {tmp_path / str(number): 0.5 * number / KILLS for number in range(KILLS)}
    saved = {root: kill_a_recorder(root, wait_s) for root, wait_s in roots.items()}
    seen = ask("opens_all", roots=",".join(map(str, roots)))["seen"]
    problems = {root: each for root, each in seen.items() if isinstance(each, str) or each["out_of_place"]}
    assert not problems
    for root, least in saved.items():
        assert seen[str(root)]["lengths"] == open_dataset(root).episodes.length.tolist()
        assert seen[str(root)]["episodes"] >= least
        assert seen[str(root)]["episodes_listed"] == seen[str(root)]["episodes"]
        assert check(root) == []


def test_it_goes_on_where_a_recorder_was_killed(ask, tmp_path):
    """A row that nothing counts yet would make it number its own wrongly."""
    for number in range(KILLS // 3):
        root, scratch = tmp_path / str(number), tmp_path / f"extended-{number}"
        kill_a_recorder(root, 0.05 + 0.04 * number)
        answer = ask("opens", root=root, resume=2, scratch=scratch)
        assert answer["after"]["lengths"] == [*open_dataset(root).episodes.length.tolist(), 2, 2]
        assert check(scratch) == []
