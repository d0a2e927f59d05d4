"""What is written down of a round, in which order, and what is left of it after a crash."""

import json
from contextlib import closing

import numpy as np
import pytest

from etude.core.frame import ACTION
from etude.core.spec import Spec
from etude.data import open_dataset
from etude.data.draft import drafts
from etude.rollout.coaching import INTERVENTION, Lesson, Setting, TakeOver
from etude.rollout.coaching_rounds import CORRECTIONS, JOURNAL, Coached, EnoughCorrectionsError, Notebook, Tally
from etude.rollout.metrics import Result

SETTING = Setting(
    specs={"observation.state": Spec(shape=(1,)), ACTION: Spec(shape=(1,))},
    fps=10,
    task="Count.",
    robot_type="counter",
    uses_degrees=True,
)
SEEDS = range(100, 106)


def result(seed, *, success=True):
    numbers = dict.fromkeys(("max_reward", "sum_reward"), 0.0)
    nothing = dict.fromkeys(("time_to_success_s", "action_jerk", "state_jerk", "spectral_arc"))
    return Result(seed=seed, success=success, ticks=4, clipped_ticks=0, **numbers, **nothing)


def alone():
    return Lesson(setting=SETTING, take_overs=())


def failed():
    return Lesson(setting=SETTING, take_overs=(TakeOver(tick=1, why="took too long"),))


def corrected(seed, driven=2):
    """Four frames that tell the seed, of which the last ones were driven."""
    frames = [
        {
            "observation.state": np.array([seed], np.float32),
            ACTION: np.array([tick], np.float32),
            INTERVENTION: np.array([tick >= 4 - driven]),
        }
        for tick in range(4)
    ]
    over = TakeOver(tick=4 - driven, why="no progress")
    return Lesson(setting=SETTING, take_overs=(over,), frames=tuple(frames), timings=(None,) * 4)


def seeds_kept(folder):
    """Give the seeds whose corrections are in the dataset, in its order."""
    dataset = open_dataset(folder / CORRECTIONS)
    assert not list(dataset.check_files())
    return dataset.column("observation.state").reshape(-1, 4)[:, 0].astype(int).tolist()


def test_corrections_become_a_dataset_with_who_drove(tmp_path):
    with closing(Notebook(tmp_path)) as notebook:
        assert list(notebook.left(SEEDS)) == list(SEEDS)
        notebook.gather(0, result(100), corrected(100))
        notebook.gather(1, result(101), alone())
        notebook.gather(2, result(102, success=False), failed())
        notebook.gather(3, result(103), corrected(103, driven=3))
    dataset = open_dataset(tmp_path / CORRECTIONS)
    assert dataset.column(INTERVENTION).reshape(2, 4).astype(int).tolist() == [[0, 0, 1, 1], [0, 1, 1, 1]]
    assert dataset.tasks == ["Count."]
    assert dataset.robot_type == "counter"
    assert json.loads((tmp_path / CORRECTIONS / "meta/etude/units.json").read_text()) == {"uses_degrees": True}
    assert seeds_kept(tmp_path) == [100, 103]


def test_the_order_is_that_of_the_seeds_whoever_was_faster(tmp_path):
    with closing(Notebook(tmp_path)) as notebook:
        notebook.left(SEEDS)
        for index in (2, 1, 0, 3):
            notebook.gather(index, result(100 + index), corrected(100 + index))
            assert notebook.tally.corrections == {2: 0, 1: 0, 0: 3, 3: 4}[index]
    assert seeds_kept(tmp_path) == [100, 101, 102, 103]


def test_it_ends_when_there_are_enough(tmp_path):
    with closing(Notebook(tmp_path, most_corrections=2)) as notebook:
        notebook.left(SEEDS)
        notebook.gather(2, result(102), corrected(102))
        notebook.gather(0, result(100), corrected(100))
        with pytest.raises(EnoughCorrectionsError):
            notebook.gather(1, result(101), corrected(101))
        assert notebook.is_full
    assert seeds_kept(tmp_path) == [100, 101], "what else was done is not needed"


def test_another_day_goes_on_behind_the_last_line(tmp_path):
    with closing(Notebook(tmp_path)) as notebook:
        notebook.left(SEEDS)
        notebook.gather(0, result(100), corrected(100))
        notebook.gather(1, result(101), alone())
        before = notebook.tally
    with closing(Notebook(tmp_path)) as notebook:
        assert notebook.tally == before
        assert list(notebook.left(SEEDS)) == [102, 103, 104, 105]
        notebook.gather(0, result(102), corrected(102))
    assert seeds_kept(tmp_path) == [100, 102]


def test_an_episode_committed_before_its_line_was_written_is_not_there_twice(tmp_path):
    with closing(Notebook(tmp_path)) as notebook:
        notebook.left(SEEDS)
        notebook.gather(0, result(100), corrected(100))
        notebook.gather(1, result(101), corrected(101))
    lines = (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)
    (tmp_path / JOURNAL).write_bytes(lines[0] + lines[1][:9])  # as a crash might leave it
    with closing(Notebook(tmp_path)) as notebook:
        assert next(iter(notebook.left(SEEDS))) == 101
        notebook.gather(0, result(101), corrected(101))
        notebook.gather(1, result(102), corrected(102))
        assert notebook.tally.corrections == 3
    assert seeds_kept(tmp_path) == [100, 101, 102]


def test_what_was_being_written_is_made_again(tmp_path):
    with closing(Notebook(tmp_path)) as notebook:
        notebook.left(SEEDS)
        notebook.gather(0, result(100), corrected(100))
        notebook._writer.add_frame(corrected(101).frames[0])  # and the power goes
    with closing(Notebook(tmp_path)) as notebook:
        notebook.left(SEEDS)
        notebook.gather(0, result(101), corrected(101))
    assert seeds_kept(tmp_path) == [100, 101]
    assert drafts(tmp_path / CORRECTIONS) == []


def test_without_a_correction_there_is_no_dataset(tmp_path):
    with closing(Notebook(tmp_path)) as notebook:
        notebook.left(SEEDS)
        notebook.gather(0, result(100), alone())
    assert not (tmp_path / CORRECTIONS).exists()


def told(*rollouts):
    return Tally(rollouts=tuple(rollouts))


def test_a_tally_counts_what_the_skill_did_alone():
    over = (TakeOver(tick=3, why="no progress"),)
    common = {"success": True, "ticks": 9}
    tally = told(
        *[Coached(seed=seed, **common) for seed in range(8)],
        Coached(seed=8, take_overs=over, driven=5, **common),
        Coached(seed=9, success=False, ticks=9, take_overs=over),
    )
    assert tally.to_json() == {
        "episodes": 10,
        "alone": {"successes": 8, "n": 10, "low": 0.4902, "high": 0.9433},
        "corrections": 1,
        "failed_corrections": 1,
        "correction_frames": 5,
        "take_overs": {"no progress": 2},
    }
    assert str(tally) == (
        "The skill alone succeeded in 8 of 10: 80 % [49 to 94 at 95 %]. 1 corrections with 5 frames, 1 came to nothing "
        "(taken over: no progress 2)."
    )


def test_a_skill_that_needs_nothing_is_told_so():
    assert str(told(Coached(seed=0, success=True, ticks=9))).endswith("It needed no correction.")
