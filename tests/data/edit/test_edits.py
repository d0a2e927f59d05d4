"""What every edit does: statistics, videos, going back."""

import json

import numpy as np
import pyarrow.parquet as pq

from etude.core.stats import Stats
from etude.data import open_dataset
from etude.data.edit import apply, edits

from .conftest import FRONT, edited, greys, states


def test_statistics_are_those_of_what_is_left(compacted):
    edited(compacted, lambda source: edits.trimmed(source, {0: (0, 2), 3: (2, 5)}))
    dataset = open_dataset(compacted)
    for key in ("action", "observation.state", "index", "episode_index", "frame_index", "task_index"):
        values = dataset.column(key)
        wanted, found = Stats.of(values.reshape(len(values), -1)), dataset.stats[key]
        np.testing.assert_allclose(found.mean, wanted.mean, err_msg=key)
        np.testing.assert_allclose(found.std, wanted.std, atol=1e-12, err_msg=key)
        np.testing.assert_allclose([found.min, found.max], [wanted.min, wanted.max], err_msg=key)
    values = dataset.column("observation.state")
    np.testing.assert_allclose(dataset.stats["observation.state"].quantiles["q50"], np.median(values, 0))
    pictures = greys(compacted) / 255
    np.testing.assert_allclose(dataset.stats[FRONT].mean.mean(), pictures.mean(), atol=0.02)
    assert dataset.stats[FRONT].count == len(pictures)


def test_each_episode_keeps_the_statistics_that_it_had(compacted):
    def rows():
        [path] = (compacted / "meta/episodes").rglob("*.parquet")
        return pq.read_table(path)

    before = rows()
    edited(compacted, lambda source: edits.delete(source, [0]))
    after = rows()
    for name in (name for name in before.column_names if name.startswith("stats/")):
        key = name.split("/")[1]
        moved = {"index": 4, "episode_index": 1}.get(key, 0) if name.split("/")[2] not in ("std", "count") else 0
        was = [np.subtract(value, moved).tolist() for value in before[name].to_pylist()[1:]]
        assert after[name].to_pylist() == was, name
        assert after.schema.field(name) == before.schema.field(name)


def test_encoding_again_changes_codec_and_little_else(compacted, sound):
    before, kept = greys(compacted), states(compacted)
    edited(compacted, lambda source: edits.recoded(source, vcodec="h264", crf=20, g=3))
    dataset = open_dataset(compacted)
    assert dataset.codecs == {FRONT: "h264"}
    info = json.loads((compacted / "meta/info.json").read_text())["features"][FRONT]["info"]
    assert (info["video.g"], info["video.crf"], info["video.preset"]) == (3, 20, None)
    np.testing.assert_allclose(greys(compacted), before, atol=3)
    assert states(compacted) == kept
    sound(compacted)


def test_undo_takes_back_and_brings_back(root, contents_of):
    before = contents_of(root)
    edited(root, lambda source: edits.delete(source, [0]))
    after = contents_of(root)
    assert apply.undo(root) == "edited"
    contents_of.same(before, contents_of(root))
    apply.undo(root)
    contents_of.same(after, contents_of(root))


def test_no_number_of_a_file_that_was_undone_is_used_again(root, files_of):
    edited(root, lambda source: edits.delete(source, [0]))
    used = {name for name in files_of(root) if name.startswith("data")}
    apply.undo(root)
    edited(root, lambda source: edits.delete(source, [2]))
    assert {name for name in files_of(root) if name.startswith("data")} & used == set()
