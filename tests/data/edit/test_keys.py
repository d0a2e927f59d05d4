"""Edits of the columns and cameras."""

import json

import numpy as np
import pyarrow.parquet as pq

from etude.data import open_dataset
from etude.data.edit import edits

from .conftest import FRONT, edited


def test_renaming_a_camera_and_a_column(root, contents_of, sound):
    before = contents_of(root)
    edited(root, lambda source: edits.renamed(source, {FRONT: "observation.images.top", "action": "act"}))
    after = contents_of(root)
    assert np.array_equal(after["act"], before["action"])
    assert np.array_equal(after["observation.images.top"], before[FRONT])
    assert sorted(path.name for path in (root / "videos").iterdir()) == ["observation.images.top"]
    table = pq.read_schema(next(root.glob("data/*/*.parquet")))
    assert list(json.loads(table.metadata[b"huggingface"])["info"]["features"])[:2] == ["observation.state", "act"]
    assert list(json.loads((root / "meta/stats.json").read_text())) == list(open_dataset(root).stats)
    assert "observation.images.top" in open_dataset(root).stats
    sound(root)


def test_two_keys_may_change_names(root, contents_of, sound):
    before = contents_of(root)
    edited(root, lambda source: edits.renamed(source, {"action": "observation.state", "observation.state": "action"}))
    assert np.array_equal(contents_of(root)["action"], before["observation.state"])
    sound(root)


def test_removing_a_camera_removes_its_videos(root, sound):
    edited(root, lambda source: edits.without(source, [FRONT]))
    assert not (root / "videos").exists()
    assert json.loads((root / "meta/info.json").read_text())["video_path"] is None
    assert FRONT not in open_dataset(root).stats
    sound(root)


def test_every_column_is_carried_whatever_it_holds(root, add_columns, sound):
    add_columns(root)
    edited(root, lambda source: edits.trimmed(source, {3: (2, 5)}))
    edited(root, lambda source: edits.delete(source, [1]))
    tables = [pq.read_table(path) for path in sorted(root.glob("data/*/*.parquet"))]
    rows = [0, 1, 2, 3, 5, 6, 7, 10, 11, 12]
    assert [note for table in tables for note in table["note"].to_pylist()] == [f"row {row}" for row in rows]
    said = [[each["content"] for each in said] for table in tables for said in table["language_events"].to_pylist()]
    assert said == [[f"say {row}"] if row % 2 else [] for row in rows]
    pictures = open_dataset(root).images("observation.images.still", np.arange(len(rows)))
    assert pictures[:, 0, 0, 0].tolist() == rows
    # Nobody had measured the PNG files; whoever edits rows does.
    np.testing.assert_allclose(open_dataset(root).stats["observation.images.still"].mean.mean() * 255, np.mean(rows))
    sound(root)
