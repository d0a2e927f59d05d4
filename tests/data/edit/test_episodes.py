"""Edits that leave out episodes, or frames of them."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etude.data import open_dataset
from etude.data.edit import edits
from etude.data.edit.idle import moving_spans
from etude.data.edit.source import Source

from .conftest import FRONT, edited, greys, states


def wanted_greys(found):
    return [20 + 50 * (episode % 4) + 8 * tick for episode, tick in found]


def test_deleting_leaves_the_other_episodes_as_they_were(root, sound):
    edited(root, lambda source: edits.delete(source, [1, 2]))
    kept = [(0, 0), (0, 1), (0, 2), (0, 3), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)]
    assert states(root) == [list(each) for each in kept]
    np.testing.assert_allclose(greys(root), wanted_greys(kept), atol=3)
    sound(root)


def test_what_is_not_touched_stays_the_same_file(root, files_of, sound):
    before = files_of(root)
    edited(root, lambda source: edits.delete(source, [1]))
    after = files_of(root)
    videos = [f"videos/{FRONT}/chunk-000/file-00{number}.mp4" for number in (0, 2, 3)]
    assert [after[name] for name in videos] == [before[name] for name in videos]
    assert after["data/chunk-000/file-000.parquet"] == before["data/chunk-000/file-000.parquet"]
    assert sorted(name for name in after if name.startswith("data")) == [
        "data/chunk-000/file-000.parquet",
        "data/chunk-000/file-004.parquet",
    ]
    sound(root)


def test_deleting_out_of_one_video_copies_the_rest_bit_by_bit(compacted, contents_of, sound):
    before = contents_of(compacted)[FRONT]
    edited(compacted, lambda source: edits.delete(source, [1]))
    assert np.array_equal(contents_of(compacted)[FRONT], np.delete(before, 4, 0))
    sound(compacted)


def test_trimming_encodes_only_the_group_that_is_cut(compacted, contents_of, sound):
    before = contents_of(compacted)[FRONT]
    edited(compacted, lambda source: edits.trimmed(source, {3: (1, 4)}))
    assert states(compacted)[-3:] == [[3, 1], [3, 2], [3, 3]]
    after = contents_of(compacted)[FRONT]
    assert np.array_equal(after[:8], before[:8])
    assert np.array_equal(after[9:], before[10:12])  # frame 2 of the episode is a key frame
    np.testing.assert_allclose(after[8].mean(), before[9].mean(), atol=2)
    sound(compacted)


def test_filters_work_together(root, make_dataset, sound):
    make_dataset(root, [2, 6], first=4, resume=True, task="Other")
    edited(root, lambda source: edits.filtered(source, task="Do it", min_length=3, max_length=4, among=range(6)))
    assert open_dataset(root).episodes.length.tolist() == [4, 3]
    assert open_dataset(root).tasks == ["Do it"]
    sound(root)


def test_the_divisions_of_a_dataset_move_with_its_episodes(root):
    info = json.loads((root / "meta/info.json").read_text())
    info |= {"splits": {"train": "0:2", "val": "2:4"}, "made_by": "hand"}
    (root / "meta/info.json").write_text(json.dumps(info))
    edited(root, lambda source: edits.delete(source, [0]))
    info = json.loads((root / "meta/info.json").read_text())
    assert (info["splits"], info["made_by"]) == ({"train": "0:1", "val": "1:3"}, "hand")


def test_what_lies_beside_the_data_is_kept(root):
    (root / "README.md").write_text("A card.")
    edited(root, lambda source: edits.delete(source, [0]))
    assert (root / "README.md").read_text() == "A card."


def test_idle_frames_are_those_before_and_after_the_motion(tmp_path, make_dataset, specs):
    root = make_dataset(tmp_path / "dataset", [20])
    path = next(root.glob("data/*/*.parquet"))
    table = pq.read_table(path)
    still = np.clip(np.arange(20), 6, 12)  # moves from frame 6 to 12
    at = table.column_names.index("action")
    action = pa.array(np.stack([still, np.zeros(20)], 1).tolist(), table.schema.field(at).type)
    pq.write_table(table.set_column(at, table.schema.field(at), action), path)
    assert moving_spans(Source(root), 0.05, 0.2) == {0: (4, 15)}  # 0.2 s are two frames
