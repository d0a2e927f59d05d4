import numpy as np
import pyarrow.parquet as pq
import pytest

from etude.data import open_dataset
from etude.data.check import check
from etude.data.edit.compact import compact
from etude.data.versions import locked, undo


def compacted(root):
    with locked(root):
        return compact(root)


def test_small_files_are_brought_together_and_nothing_else_changes(root, contents_of, files_of):
    before, stats = contents_of(root), (root / "meta/stats.json").read_text()
    assert compacted(root)
    contents_of.same(before, contents_of(root))
    assert (root / "meta/stats.json").read_text() == stats
    assert check(root) == []
    assert sorted(files_of(root)) == [
        "data/chunk-000/file-004.parquet",
        "meta/episodes/chunk-000/file-001.parquet",
        "meta/etude/sketches/chunk-000/file-004.parquet",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "videos/observation.images.front/chunk-000/file-004.mp4",
    ]


def test_a_table_has_one_row_group_per_episode(root):
    compacted(root)
    table = pq.ParquetFile(root / "data/chunk-000/file-004.parquet")
    assert [table.metadata.row_group(number).num_rows for number in range(4)] == [4, 1, 3, 5]


def test_where_there_is_nothing_to_do_nothing_is_done(root, files_of):
    compacted(root)
    before = files_of(root)
    assert not compacted(root)
    assert files_of(root) == before


def test_large_files_stay_the_same_files(root, limits, files_of, make_dataset, contents_of):
    compacted(root)
    large = ["data/chunk-000/file-004.parquet", "videos/observation.images.front/chunk-000/file-004.mp4"]
    data, video = ((root / name).stat().st_size / 2**20 for name in large)
    limits(root, data=1.9 * data, video=1.9 * video)  # they are over half of what a file may hold
    make_dataset(root, [2, 2], first=4, resume=True)
    before, known = files_of(root), contents_of(root)
    assert compacted(root)
    after = files_of(root)
    assert [after[name] for name in large] == [before[name] for name in large]
    assert sum(name.startswith(("data", "videos")) for name in after) == 4
    contents_of.same(known, contents_of(root))
    assert check(root) == []


def test_no_file_number_is_used_for_other_data(root, files_of, make_dataset):
    names = set(files_of(root))
    compacted(root)
    kept = {"meta/info.json", "meta/stats.json", "meta/tasks.parquet"}
    assert not (set(files_of(root)) - kept) & names
    make_dataset(root, [1], first=4, resume=True)
    assert compacted(root)
    assert check(root) == []


def test_compaction_is_no_edit(root):
    compacted(root)
    with locked(root), pytest.raises(Exception, match="nothing to undo"):
        undo(root)


def test_an_empty_dataset_and_an_old_reader_are_left_alone(tmp_path, root, make_dataset):
    assert not compacted(make_dataset(tmp_path / "empty", []))
    reader = open_dataset(root)
    early = reader.images("observation.images.front", np.array([0]))
    compacted(root)
    assert np.array_equal(reader.images("observation.images.front", np.array([0])), early)


def test_videos_that_cannot_share_a_file_do_not(tmp_path, make_dataset, reencode_file):
    root = make_dataset(tmp_path / "dataset", [3, 2])
    reencode_file(root / "videos/observation.images.front/chunk-000/file-001.mp4", "h264")
    assert compacted(root)  # the tables
    assert not compacted(root)
    assert len(list(root.glob("videos/*/*/*.mp4"))) == 2
    assert check(root) == []
