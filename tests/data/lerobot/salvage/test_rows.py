"""Tables that were cut short, never written, or disagree: which rows are recovered."""

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.errors import DatasetError
from etude.data import open_dataset
from etude.data.check import check
from etude.data.lerobot import footer, header, schema
from etude.data.lerobot.salvage import is_damaged, salvage
from etude.data.versions import workspace

from .conftest import DATA, ENDS, EPISODES, VIDEO, finished


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.999])
def test_a_frame_table_cut_anywhere_gives_its_whole_episodes(root, assert_holds, share):
    data = (root / DATA).read_bytes()
    (root / DATA).write_bytes(data[: int(share * len(data))])
    if share == 0.05:
        with pytest.raises(DatasetError, match="holds no whole episode; nothing was changed"):
            salvage(root)
        assert is_damaged(root)
        assert not workspace(root).exists()
        return
    report = salvage(root)
    assert 0 < report.num_episodes < 12
    assert_holds(root, range(report.num_episodes))
    lost = ", ".join(map(str, range(report.num_episodes, 12)))
    assert f"Episodes without rows in the tables, and therefore lost: {lost}." in report.lost


def test_an_episodes_table_that_was_never_written_is_made_again(root, assert_holds):
    shutil.rmtree(root / "meta/episodes")
    assert is_damaged(root)
    salvage(root)
    assert_holds(root, range(12))


def test_a_table_of_tasks_without_a_footer_is_read(root, assert_holds):
    path = root / "meta/tasks.parquet"
    data = path.read_bytes()
    footer_bytes = 8 + int.from_bytes(data[-8:-4], "little")
    path.write_bytes(data[:-footer_bytes])
    salvage(root)
    assert_holds(root, range(12))


def test_tasks_that_are_gone_are_called_unknown(root):
    (root / "meta/tasks.parquet").write_bytes(b"")
    salvage(root)
    assert list(open_dataset(root).tasks) == ["unknown task 0", "unknown task 1"]
    assert check(root) == []


def test_rows_that_disagree_with_the_table_of_episodes_are_believed(root, assert_holds):
    table = finished(root)
    position = table.schema.get_field_index("length")
    pq.write_table(table.set_column(position, "length", pa.array([99] * 10)), root / EPISODES)
    salvage(root)
    assert_holds(root, range(12))


def test_files_of_which_nothing_is_lost_are_linked(root, assert_holds):
    """A table that was closed, since it was full, and the videos stay the files that they are."""
    features = header.read(root).features
    table = footer.rescue(root / DATA, [schema.data_schema(features)]).table
    data = (root / DATA).read_bytes()
    second = root / "data/chunk-000/file-001.parquet"
    with pq.ParquetWriter(second, table.schema, compression="snappy") as writer:
        for start, stop in zip([ENDS[5], *ENDS[6:11]], ENDS[6:12], strict=True):
            writer.write_table(table[int(start) : int(stop)])
        data = second.read_bytes()
    second.write_bytes(data)
    pq.write_table(table[: int(ENDS[5])], root / DATA)
    inodes = {name: (root / name).stat().st_ino for name in (DATA, VIDEO)}
    salvage(root)
    assert {name: (root / name).stat().st_ino for name in (DATA, VIDEO)} == inodes
    assert_holds(root, range(12))
