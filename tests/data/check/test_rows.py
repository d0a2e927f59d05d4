"""Rows that are not what they should be."""

import numpy as np
import pytest

from etude.data import create_dataset
from etude.data.formats.lerobot_v3.config import Config

from .conftest import DATA, DELETE, EPISODES, change_table, found


@pytest.mark.parametrize(
    ("key", "change", "wrong"),
    [
        ("index", lambda values: [value + 1 for value in values], "'index' is wrong in 4 of 4 rows, first at frame 0"),
        ("frame_index", lambda values: [0, 2, 1, 3], "'frame_index' is wrong in 2 of 4 rows, first at frame 1"),
        ("timestamp", lambda values: [0, 0.1, 0.21, 0.3], "'timestamp' is wrong in 1 of 4 rows, first at frame 2"),
        ("task_index", lambda values: [0, 0, 0, 1], "'task_index' is wrong in 1 of 4 rows, first at frame 3"),
        ("episode_index", lambda values: [1] * 4, "'episode_index' is wrong in 4 of 4 rows, first at frame 0"),
    ],
)
def test_a_column_that_disagrees_with_its_rows(root, key, change, wrong):
    change_table(root / DATA.format("000"), key, change)
    assert found(root) == [f"episode 0: {wrong}. {DELETE}0"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(root, value):
    change_table(root / DATA.format("002"), "action", lambda rows: [rows[0], [0.0, value], rows[2]])
    assert found(root) == [f"episode 2: 'action' holds NaN or infinity in 1 of 3 rows, first at frame 1. {DELETE}2"]


def test_a_fault_of_many_episodes_is_told_once(tmp_path, specs, make_dataset):
    vectors = {key: spec for key, spec in specs.items() if not spec.is_image}
    writer = create_dataset(tmp_path / "many", vectors, fps=10, config=Config.tiny())
    for episode in range(14):
        writer.add_frame({key: np.full(2, episode, np.float32) for key in vectors})
        writer.save_episode("Do it")
    writer.close()
    for path in sorted((tmp_path / "many").glob("data/*/*"))[1:]:
        change_table(path, "timestamp", lambda values: [value + 1 for value in values])
    problems = found(tmp_path / "many")
    assert len(problems) == 11
    assert problems[-1] == f"episodes 11 to 13: 'timestamp' is wrong in 3 rows of 3 more episodes. {DELETE}1-13"


def test_tasks_that_are_not_those_of_the_rows(root):
    change_table(root / EPISODES, "tasks", lambda rows: [rows[0], ["Something else"], rows[2]])
    assert found(root) == [f"episode 1: lists 'Something else', but its rows are of 'Do it'. {DELETE}1"]
