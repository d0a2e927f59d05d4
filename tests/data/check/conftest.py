"""A dataset to break, the ways to break it, and what is then said of it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.data.check import inspect

FRONT = "observation.images.front"
DATA = "data/chunk-000/file-{}.parquet"
VIDEO = f"videos/{FRONT}/chunk-000/file-{{}}.mp4"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
DELETE = "Leave it out: etude dataset delete {root} --episodes "
MEASURE = "Measure again: etude dataset stats {root} --recompute"


@pytest.fixture
def root(tmp_path, make_dataset):
    """A dataset to break: episodes of 4, 1 and 3 frames, each in files of its own."""
    return make_dataset(tmp_path / "dataset", [4, 1, 3])


def change_json(path, change):
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))


def change_table(path, key, change):
    table = pq.read_table(path)
    at = table.schema.get_field_index(key)
    values = change(table[key].to_pylist())
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type)), path)


def found(root, **options):
    """What is said, with the dataset's folder as `{root}`."""
    return [str(problem).replace(str(root), "{root}") for problem in inspect(root, **options).problems]


def notes(root, **options):
    report = inspect(root, **options)
    assert report.problems == []
    return [note.replace(str(root), "{root}") for note in report.notes]
