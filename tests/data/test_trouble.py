"""What went wrong while a frame was recorded stays with the frame, wherever it goes."""

import shutil

import pytest

from etude.data import create_dataset, open_dataset
from etude.data.draft import drafts
from etude.data.edit import edits
from etude.data.edit.apply import edit
from etude.data.formats.lerobot_v3.config import Config
from etude.data.info import summary
from etude.data.notes import timing_notes
from etude.data.timing import TROUBLE, Timing

SILENT = "Motor 'elbow_flex' did not answer."


def record(root, make_frame, specs, troubles, *, leave=False):
    """Record one episode for each set of troubled frames, four frames each."""
    writer = create_dataset(root, specs, fps=10, robot_type="fake", config=Config.tiny())
    for episode, troubled in enumerate(troubles):
        for tick in range(4):
            timing = Timing(time_s=tick / 10, trouble=(SILENT,) if tick in troubled else ())
            writer.add_frame(make_frame(episode, tick), timing)
        if not (leave and episode == len(troubles) - 1):
            writer.save_episode("Do it")
    writer.close()
    return root


@pytest.fixture
def troubled(tmp_path, make_frame, specs):
    return record(tmp_path / "troubled", make_frame, specs, [{1}, set(), {0, 3}])


def flags(root):
    return (open_dataset(root).timing()[TROUBLE] == SILENT).tolist()


def test_it_is_stored_with_its_frame(troubled):
    assert flags(troubled) == [False, True, False, False] + 4 * [False] + [True, False, False, True]


def test_nothing_is_stored_where_all_went_well(tmp_path, make_frame, specs):
    assert TROUBLE not in open_dataset(record(tmp_path / "well", make_frame, specs, [set()])).timing()


def test_the_check_and_the_summary_tell_of_it(troubled):
    dataset = open_dataset(troubled)
    assert f"Something went wrong at 3 frames, most in episode 0,2, such as: {SILENT}" in list(timing_notes(dataset))
    facts = summary(dataset)["timing"]
    assert (facts["troubled_frames"], facts["troubled_episodes"]) == (3, [0, 2])


def test_it_follows_its_frame_through_an_edit(troubled, tmp_path):
    root = shutil.copytree(troubled, tmp_path / "edited")
    edit(root, "deleted episode 0", lambda source: edits.delete(source, [0]))
    assert flags(root) == 4 * [False] + [True, False, False, True]


def test_a_draft_keeps_it(tmp_path, make_frame, specs):
    root = record(tmp_path / "broken", make_frame, specs, [set(), {2}], leave=True)
    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=True, config=Config.tiny())
    writer.keep_draft(drafts(root)[0], "Do it")
    writer.close()
    assert flags(root) == [False] * 6 + [True, False]
