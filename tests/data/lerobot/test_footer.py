"""Parquet files whose writer was killed, at any byte."""

import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.errors import DatasetError
from etude.data.lerobot import footer
from etude.data.lerobot.parquet_pages import has_footer

FEW, MANY = [5, 1, 12], [30_000, 2, 21_000]
"""Rows per row group: MANY make several pages of each column."""


def column(name, n):
    values = np.random.default_rng(n)
    made = {
        "observation.state": lambda: pa.FixedSizeListArray.from_arrays(
            pa.array(values.random(6 * n).astype(np.float32)), type=pa.list_(pa.field("element", pa.float32()), 6)
        ),
        "grid": lambda: pa.array(values.random((n, 3, 2)).tolist(), pa.list_(pa.list_(pa.float64()))),
        "next.done": lambda: pa.array(values.random(n) < 0.2),
        "never": lambda: pa.array([None] * n, pa.bool_()),
        "nothing": lambda: pa.array([None] * n, pa.float32()),
        "text": lambda: pa.array([f"task {i % 3}" if i % 4 else None for i in range(n)], pa.string()),
        "observation.image": lambda: pa.array(
            [{"bytes": values.bytes(50), "path": None} for _ in range(n)],
            pa.struct({"bytes": pa.binary(), "path": pa.string()}),
        ),
        "messages": lambda: pa.array(
            [[{"role": "user", "calls": ["x"] * (i % 3)}] * (i % 3) for i in range(n)],
            pa.list_(pa.struct({"role": pa.string(), "calls": pa.list_(pa.string())})),
        ),
        "lengths vary": lambda: pa.array([[0.5] * (i % 4) for i in range(n)], pa.list_(pa.float32())),
        "timestamp": lambda: pa.array((np.arange(n) / 30).astype(np.float32)),
        "index": lambda: pa.array(np.arange(n)),
    }
    return made[name]()


DATA = ("observation.state", "next.done", "timestamp", "index")
ALL = (
    *("next.done", "observation.state", "never", "grid", "nothing", "text", "observation.image", "messages"),
    *("lengths vary", "timestamp", "index"),
)


def unfinished(path, sizes, names=ALL, **options):
    """Write row groups as LeRobot does; give the bytes before the footer, the tables, and where each ends."""
    parts = [pa.table({name: column(name, size) for name in names}) for size in sizes]
    ends = []
    with pq.ParquetWriter(path, parts[0].schema, compression="snappy", use_dictionary=True, **options) as writer:
        for part in parts:
            writer.write_table(part)
            ends.append(path.stat().st_size)
        data = path.read_bytes()
    path.write_bytes(data)
    return data, parts, ends


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("sizes", [FEW, MANY], ids=["few", "many"])
def test_without_a_footer_every_row_of_every_type_is_read(tmp_path, sizes, version):
    _, parts, _ = unfinished(tmp_path / "a", sizes, data_page_version=version)
    assert not has_footer(tmp_path / "a")
    rescued = footer.rescue(tmp_path / "a", [parts[0].schema])
    assert rescued.table.equals(pa.concat_tables(parts))
    assert rescued.lost_bytes == 0


def test_cut_at_every_byte_the_whole_row_groups_remain(tmp_path):
    path = tmp_path / "a"
    data, parts, ends = unfinished(path, [2, 1], ("observation.state", "next.done", "index"))
    for size in range(len(data)):
        path.write_bytes(data[:size])
        rescued = footer.rescue(path, [parts[0].schema])
        whole = sum(end <= size for end in ends)
        assert rescued.table.equals(pa.concat_tables([parts[0].schema.empty_table(), *parts[:whole]]))
        assert rescued.lost_bytes == size - (ends[whole - 1] if whole else min(size, 4))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_cut_anywhere_and_followed_by_anything_the_whole_row_groups_remain(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("cut") / "a"
    names = data.draw(st.permutations([name for name in ALL if name not in ("timestamp", "index")]))
    names = (*names[: data.draw(st.integers(0, len(names)))], "timestamp", "index")
    sizes = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=4))
    whole, parts, ends = unfinished(path, sizes, names)
    followed_by = data.draw(st.sampled_from([b"", b"\0" * 1000, b"PAR1"]))
    size = data.draw(st.sampled_from(ends) if followed_by == b"PAR1" else st.integers(0, len(whole)))
    # A power cut leaves zeros where the file had grown and its contents were not yet on the disk.
    left = whole[:size] + followed_by * (size >= 4)
    path.write_bytes(left)
    count = sum(left[:end] == whole[:end] for end in ends)  # what was cut off may have been zeros, too
    if count and left[ends[count - 1] - 1 : ends[count - 1] + 1] == b"\0\0":
        count -= 1  # nobody can tell where the last page's own zeros end
    expected = pa.concat_tables([parts[0].schema.empty_table(), *parts[:count]])
    assert footer.rescue(path, [parts[0].schema]).table.equals(expected)


def test_one_bad_byte_costs_nothing_before_it(tmp_path):
    path = tmp_path / "a"
    data, parts, ends = unfinished(path, FEW, DATA)
    values = np.random.default_rng(0)
    for at in values.integers(ends[1], len(data), 100).tolist():
        path.write_bytes(data[:at] + bytes([data[at] ^ int(values.integers(1, 256))]) + data[at + 1 :])
        assert footer.rescue(path, [parts[0].schema]).table[: 5 + 1].equals(pa.concat_tables(parts[:2]))


def test_large_pictures_leave_their_dictionary_and_are_read(tmp_path):
    # pyarrow gives a dictionary up at 1 MB and writes plain pages from there on.
    pictures = [{"bytes": np.random.default_rng(i).bytes(40_000), "path": None} for i in range(80)]
    table = pa.table({"image": pa.array(pictures), "index": range(80)})
    with pq.ParquetWriter(tmp_path / "a", table.schema, compression="snappy", use_dictionary=True) as writer:
        writer.write_table(table)
        writer.write_table(table)
        data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data)
    assert footer.rescue(tmp_path / "a", [table.schema]).table.equals(pa.concat_tables([table, table]))


def test_rows_that_straddle_pages_are_counted_once(tmp_path):
    rows = pa.array(np.arange(400 * 5000, dtype=np.float64).reshape(400, 5000).tolist(), pa.list_(pa.float64()))
    table = pa.table({"wide": rows, "flag": pa.array([True] * 400), "index": range(400)})
    parts = [table, table[:7]]
    with pq.ParquetWriter(tmp_path / "a", table.schema, compression="snappy", data_page_size=1000) as writer:
        for part in parts:
            writer.write_table(part)
        data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data)
    assert footer.rescue(tmp_path / "a", [table.schema]).table.equals(pa.concat_tables(parts))


def test_the_copy_with_a_footer_is_a_file_for_any_reader(tmp_path):
    data, parts, ends = unfinished(tmp_path / "a", FEW, DATA)
    (tmp_path / "b").write_bytes(footer.with_footer(data[: ends[1] + 10], parts[0].schema))
    with pq.ParquetFile(tmp_path / "b") as file:
        assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == FEW[:2]
        assert file.metadata.row_group(1).column(0).path_in_schema == "observation.state.list.element"
        assert file.read().equals(pa.concat_tables(parts[:2]))
    assert has_footer(tmp_path / "b")


def test_the_schema_that_explains_the_file_is_chosen(tmp_path):
    _, parts, _ = unfinished(tmp_path / "a", FEW, DATA)
    right = parts[0].schema
    wrong = [right.remove(0), right.append(pa.field("more", pa.int64())), right.set(3, pa.field("index", pa.float32()))]
    assert footer.rescue(tmp_path / "a", [*wrong, right]).table.equals(pa.concat_tables(parts))
    assert footer.rescue(tmp_path / "a", wrong).table.num_rows == 0


def test_a_whole_file_is_read_as_it_is(tmp_path):
    table = pa.table({"index": range(7)})
    pq.write_table(table, tmp_path / "a")
    assert has_footer(tmp_path / "a")
    assert footer.rescue(tmp_path / "a", []).table.equals(table)


def test_what_is_no_parquet_file_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"<html>not found</html>")
    with pytest.raises(DatasetError, match="does not begin as a Parquet file"):
        footer.rescue(tmp_path / "a", [pa.schema({"index": pa.int64()})])
    with pytest.raises(DatasetError, match="is missing"):
        footer.rescue(tmp_path / "b", [pa.schema({"index": pa.int64()})])


def test_a_killed_writer_leaves_its_row_groups_on_the_disk(tmp_path):
    """What the rest of this file takes for granted: pyarrow holds nothing back that it was given."""
    program = f"""
import os, signal, pyarrow as pa, pyarrow.parquet as pq
writer = pq.ParquetWriter({str(tmp_path / "a")!r}, pa.schema({{"index": pa.int64()}}), compression="snappy")
for start in (0, 10, 20):
    writer.write_table(pa.table({{"index": range(start, start + 10)}}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    rescued = footer.rescue(tmp_path / "a", [pa.schema({"index": pa.int64()})])
    assert rescued.table["index"].to_pylist() == list(range(30))
