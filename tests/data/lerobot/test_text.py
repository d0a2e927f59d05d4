import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.errors import DatasetError, NotFound
from etude.data import open_dataset
from etude.data.lerobot import tables
from etude.data.lerobot.cells import Cells

# The types that LeRobot 0.6 writes.
CALLS = pa.list_(pa.string())
EVENT = [("role", pa.string()), ("content", pa.string()), ("style", pa.string())]
PERSISTENT = pa.list_(pa.struct([*EVENT, ("timestamp", pa.float32()), ("camera", pa.string()), ("tool_calls", CALLS)]))
EVENTS = pa.list_(pa.struct([*EVENT, ("camera", pa.string()), ("tool_calls", CALLS)]))
PLAN = {"role": "assistant", "content": "grasp", "style": "subtask", "timestamp": 0.0}
PLAN |= {"camera": None, "tool_calls": None}
SAY = {"role": "assistant", "content": None, "style": None, "camera": None, "tool_calls": ['{"name": "say"}']}


@pytest.fixture(params=["lerobot_v3", "lerobot_v21"])
def root(golden, tmp_path, request):
    """A golden dataset of episodes of 4, 5 and 3 frames, with text columns."""
    root = shutil.copytree(golden / request.param, tmp_path / "dataset")
    row = 0
    for path in sorted(root.glob("data/*/*.parquet")):
        table = pq.read_table(path)
        rows = range(row, row + len(table))
        row += len(table)
        said = pa.array([[SAY] if each == 5 else [] for each in rows], EVENTS)
        table = table.append_column("instruction", pa.array([f"row {each}" for each in rows]))
        table = table.append_column("language_persistent", pa.array([[PLAN]] * len(table), PERSISTENT))
        table = table.append_column("language_events", said)
        table = table.append_column("subtask_index", pa.array([each % 2 for each in rows]))
        pq.write_table(table, path, row_group_size=2)
    tables.write(root / "meta/subtasks.parquet", pa.table({"subtask_index": [1, 0], "subtask": ["lift", "grasp"]}))
    info = json.loads((root / "meta/info.json").read_text())
    info["features"] |= {
        "instruction": {"dtype": "string", "shape": [1], "names": None},
        "language_persistent": {"dtype": "language", "shape": [1], "names": None},
        "language_events": {"dtype": "language", "shape": [1], "names": None},
        "subtask_index": {"dtype": "int64", "shape": [1], "names": None},
    }
    (root / "meta/info.json").write_text(json.dumps(info))
    return root


def test_texts_are_read_in_any_order(root):
    dataset = open_dataset(root)
    assert dataset.text_keys == ["instruction", "language_persistent", "language_events"]
    assert dataset.text("instruction", np.array([11, 0, 5, 0])) == ["row 11", "row 0", "row 5", "row 0"]
    assert dataset.text("instruction", np.array([], int)) == []


def test_messages_are_lists_of_what_is_stored(root):
    dataset = open_dataset(root)
    assert dataset.text("language_persistent", np.array([3, 8])) == [[PLAN], [PLAN]]
    assert dataset.text("language_events", np.array([4, 5])) == [[], [SAY]]


def test_tasks_and_subtasks_are_told_per_row(root):
    dataset = open_dataset(root)
    rows = np.arange(12)
    tasks = dataset.text("task", rows)
    for episode in dataset.episodes:
        assert set(tasks[episode.start : episode.stop]) == set(episode.tasks)
    assert dataset.text("subtask", np.array([2, 3])) == ["grasp", "lift"]


def test_text_keys_have_no_spec_and_are_not_columns(root):
    dataset = open_dataset(root)
    assert "instruction" not in dataset.specs
    with pytest.raises(NotFound, match=r"No text column named 'instructions'\. Did you mean 'instruction'"):
        dataset.text("instructions", np.array([0]))


def test_a_dataset_without_subtasks_says_what_it_has(dataset):
    with pytest.raises(NotFound, match=r"No text column named 'subtask'.* Known: task\."):
        dataset.text("subtask", np.array([0]))


def test_only_the_row_groups_of_the_rows_are_kept(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"{row} {'x' * 100}" for row in range(100)]}), path, row_group_size=10)
    cells = Cells("text", [path], np.array([0, 100]), kept_bytes=3000)
    got = cells.at(np.array([95, 3, 47, 4]))
    assert [each.split()[0] for each in got] == ["95", "3", "47", "4"]
    assert len(cells._kept) == 2


def test_a_table_with_other_rows_is_named(tmp_path):
    tables.write(tmp_path / "a.parquet", pa.table({"text": ["a", "b"]}))
    with pytest.raises(DatasetError, match=r"a\.parquet: holds 2 rows, its episodes 3"):
        Cells("text", [tmp_path / "a.parquet"], np.array([0, 3])).at(np.array([1]))
