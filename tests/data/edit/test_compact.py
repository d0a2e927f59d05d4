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


@pytest.fixture
def scattered(tmp_path, make_dataset):
    return make_dataset(tmp_path / "dataset", [4, 1, 3, 5])


def test_small_files_are_brought_together_and_nothing_else_changes(scattered, contents_of, files_of):
    before, stats = contents_of(scattered), (scattered / "meta/stats.json").read_text()
    assert compacted(scattered)
    contents_of.same(before, contents_of(scattered))
    assert (scattered / "meta/stats.json").read_text() == stats
    assert check(scattered) == []
    assert sorted(files_of(scattered)) == [
        "data/chunk-000/file-004.parquet",
        "meta/episodes/chunk-000/file-001.parquet",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "videos/observation.images.front/chunk-000/file-004.mp4",
    ]


def test_a_table_has_one_row_group_per_episode(scattered):
    compacted(scattered)
    table = pq.ParquetFile(scattered / "data/chunk-000/file-004.parquet")
    assert [table.metadata.row_group(number).num_rows for number in range(4)] == [4, 1, 3, 5]


def test_where_there_is_nothing_to_do_nothing_is_done(scattered, files_of):
    compacted(scattered)
    before = files_of(scattered)
    assert not compacted(scattered)
    assert files_of(scattered) == before


def test_large_files_stay_the_same_files(scattered, limits, files_of, make_dataset, contents_of):
    compacted(scattered)
    large = ["data/chunk-000/file-004.parquet", "videos/observation.images.front/chunk-000/file-004.mp4"]
    data, video = ((scattered / name).stat().st_size / 2**20 for name in large)
    limits(scattered, data=1.9 * data, video=1.9 * video)  # they are over half of what a file may hold
    make_dataset(scattered, [2, 2], first=4, resume=True)
    before, known = files_of(scattered), contents_of(scattered)
    assert compacted(scattered)
    after = files_of(scattered)
    assert [after[name] for name in large] == [before[name] for name in large]
    assert sum(name.startswith(("data", "videos")) for name in after) == 4
    contents_of.same(known, contents_of(scattered))
    assert check(scattered) == []


def test_no_file_number_is_used_for_other_data(scattered, files_of, make_dataset):
    names = set(files_of(scattered))
    compacted(scattered)
    kept = {"meta/info.json", "meta/stats.json", "meta/tasks.parquet"}
    assert not (set(files_of(scattered)) - kept) & names
    make_dataset(scattered, [1], first=4, resume=True)
    assert compacted(scattered)
    assert check(scattered) == []


def test_compaction_is_no_edit(scattered):
    compacted(scattered)
    with locked(scattered), pytest.raises(Exception, match="nothing to undo"):
        undo(scattered)


def test_an_empty_dataset_and_an_old_reader_are_left_alone(tmp_path, scattered, make_dataset):
    assert not compacted(make_dataset(tmp_path / "empty", []))
    reader = open_dataset(scattered)
    early = reader.images("observation.images.front", np.array([0]))
    compacted(scattered)
    assert np.array_equal(reader.images("observation.images.front", np.array([0])), early)


def test_videos_that_cannot_share_a_file_do_not(tmp_path, make_dataset, reencode_file):
    root = make_dataset(tmp_path / "dataset", [3, 2])
    reencode_file(root / "videos/observation.images.front/chunk-000/file-001.mp4", "h264")
    assert compacted(root)  # the tables
    assert not compacted(root)
    assert len(list(root.glob("videos/*/*/*.mp4"))) == 2
    assert check(root) == []
