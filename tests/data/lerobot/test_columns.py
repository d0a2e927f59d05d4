import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.errors import DatasetError
from etude.core.spec import Spec
from etude.data.cache_folder import cache_folder
from etude.data.lerobot import columns as module
from etude.data.lerobot import tables
from etude.data.lerobot.columns import Columns

SPECS = {"action": Spec(shape=(2,)), "index": Spec(shape=(), dtype="int64"), "next.done": Spec(shape=(), dtype="bool")}
LENGTHS = [5, 1, 7]


def write_files(tmp_path):
    paths, row = [], 0
    for number, length in enumerate(LENGTHS):
        rows = np.arange(row, row + length)
        action = np.stack([rows, -rows], 1).astype(np.float32)
        parts = {"action": action, "index": rows, "next.done": rows % 2 == 0}
        paths.append(tmp_path / f"file-{number}.parquet")
        tables.write(paths[-1], pa.table({key: tables.from_numpy(values) for key, values in parts.items()}))
        row += length
    return paths


@pytest.fixture
def files(tmp_path):
    return write_files(tmp_path)


@pytest.fixture(scope="module")
def lasting_files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where column files go, in a machine that thinks nothing small."""
    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "SMALL_BYTES", -1)
    return cache_folder("columns")


def starts(lengths=LENGTHS):
    return np.concatenate([[0], np.cumsum(lengths)])


def open_columns(files, specs=SPECS):
    return Columns(specs, files, starts())


def is_right(columns):
    rows = np.arange(13)
    return (
        columns.whole("action")[:, 0].tolist() == rows.tolist()
        and columns.whole("index").tolist() == rows.tolist()
        and columns.whole("next.done").tolist() == (rows % 2 == 0).tolist()
    )


def forbid_reading(monkeypatch):
    monkeypatch.setattr(tables, "batches", lambda path, _: pytest.fail(f"{path} was read again"))


@pytest.mark.parametrize("small", [True, False])
def test_columns_are_what_is_stored(files, cache, monkeypatch, small):
    if small:
        monkeypatch.setattr(module, "SMALL_BYTES", 1 << 20)
    columns = open_columns(files)
    assert is_right(columns)
    assert {key: columns.whole(key).dtype for key in SPECS} == {
        "action": "float32",
        "index": "int64",
        "next.done": "bool",
    }
    with pytest.raises(ValueError, match="read-only"):
        columns.whole("action")[0] = 1
    assert cache.exists() is not small


@settings(deadline=None, max_examples=40)
@given(asked=st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=5))
def test_rows_in_any_order_and_shape_are_those_of_the_whole(lasting_files, asked):
    columns = open_columns(lasting_files)
    for rows in (np.array(each, np.int64) for each in asked):
        assert columns.take("action", rows)[..., 1].tolist() == (-rows).tolist()
        assert columns.take("index", np.stack([rows, rows])).tolist() == [rows.tolist()] * 2


def test_only_the_tables_of_the_rows_are_read(files, cache):
    columns = open_columns(files)
    files[1].write_bytes(b"torn")
    assert columns.take("action", np.array([[0, 12], [6, 4]]))[..., 0].tolist() == [[0, 12], [6, 4]]
    with pytest.raises(DatasetError, match=r"file-1\.parquet: cannot be read as Parquet"):
        columns.take("action", np.array([5]))


def test_a_second_reader_reads_no_table(files, cache, monkeypatch):
    assert is_right(open_columns(files))
    forbid_reading(monkeypatch)
    assert is_right(open_columns(files))


def test_columns_asked_for_together_are_read_in_one_pass(files, cache, monkeypatch):
    read = []
    inner = tables.batches
    monkeypatch.setattr(tables, "batches", lambda path, keys: read.append((path.name, *keys)) or inner(path, keys))
    columns = open_columns(files)
    columns.take("index", np.array([], np.int64))
    columns.take("action", np.array([0]))
    columns.take("index", np.array([1]))
    assert read == [("file-0.parquet", "index", "action")]


def test_a_copy_with_its_times_shares_the_file_and_a_changed_one_does_not(files, cache, tmp_path, monkeypatch):
    open_columns(files).whole("index")
    copies = [tmp_path / f"copy-{path.name}" for path in files]
    for path, copy in zip(files, copies, strict=True):
        shutil.copy2(path, copy)
    with monkeypatch.context() as patch:
        forbid_reading(patch)
        open_columns(copies).whole("index")
    tables.write(copies[0], pa.table({"index": np.arange(5) + 100}))
    assert open_columns(copies).whole("index")[:6].tolist() == [100, 101, 102, 103, 104, 5]
    assert open_columns(files).whole("index")[0] == 0


@pytest.mark.parametrize("damage", ["cut", "grown", "no magic", "bad marks", "empty"])
def test_a_damaged_file_is_made_again(files, cache, damage):
    open_columns(files).whole("action")
    (path,) = cache.iterdir()
    data = bytearray(path.read_bytes())
    if damage == "no magic":
        data[:4] = b"oops"
    elif damage == "bad marks":
        data[17] = 7
    changed = {"cut": data[:-1], "grown": data + b"\0", "empty": b""}.get(damage, data)
    path.write_bytes(changed)
    assert is_right(open_columns(files))


def test_a_fill_that_was_killed_leaves_no_mark_without_values(files, cache, monkeypatch):
    columns = open_columns(files)
    columns.take("action", np.array([0]))

    def dies(path, keys):
        inner = tables.opened(path, keys)
        with inner as file:
            yield next(file.iter_batches(2, columns=list(keys)))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tables, "batches", dies)
        columns.take("action", np.array([9]))
    assert is_right(open_columns(files))


def test_processes_fill_one_file_together(files, cache):
    script = """
import sys
from pathlib import Path
import numpy as np
from etude.core.spec import Spec
from etude.data.lerobot import columns
columns.SMALL_BYTES = -1
files = [Path(each) for each in sys.argv[1:]]
read = columns.Columns({"action": Spec(shape=(2,))}, files, np.array([0, 5, 6, 13]))
for row in np.random.default_rng().permutation(13):
    assert read.take("action", np.array([row])).tolist() == [[row, -row]]
assert read.whole("action")[:, 0].tolist() == list(range(13))
"""
    words = [sys.executable, "-c", script, *map(str, files)]
    running = [subprocess.Popen(words, env=os.environ) for _ in range(3)]
    assert [each.wait() for each in running] == [0, 0, 0]
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("when", ["write", "mark"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_full_disk_sends_the_column_to_memory(files, cache, monkeypatch, when, after):
    inner, calls = getattr(module._ColumnFile, when), []

    def full(self, *values):
        calls.append(1)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        inner(self, *values)

    columns = open_columns(files)
    columns.take("index", np.array([12]))
    monkeypatch.setattr(module._ColumnFile, when, full)
    assert is_right(columns)


def test_a_cache_that_cannot_be_written_is_done_without(files, monkeypatch, tmp_path):
    (tmp_path / "cache").touch()
    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "SMALL_BYTES", -1)
    assert is_right(open_columns(files))


def test_old_columns_make_room(files, cache, monkeypatch):
    open_columns(files).whole("index")
    (old,) = cache.iterdir()
    os.utime(old, (1, 1))
    monkeypatch.setattr(module, "LIMIT_BYTES", old.stat().st_size + 100)
    columns = open_columns(files)
    columns.whole("next.done")
    assert not old.exists()
    assert is_right(open_columns(files))


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"action": [[1.0, 2.0]] * 4}, "holds 4 rows, its episodes 5"),
        ({"action": [[1.0, 2.0]] * 6}, "holds 6 rows, its episodes 5"),
        ({"action": [[1.0]] * 5}, "does not hold what is declared for 'action'"),
        ({"action": ["a"] * 5}, "does not hold what is declared for 'action'"),
        ({"index": [0] * 5}, "lacks the column action"),
    ],
)
def test_a_table_that_is_not_what_was_promised_is_named(files, cache, stored, message):
    tables.write(files[0], pa.table(stored))
    with pytest.raises(DatasetError, match=rf"file-0\.parquet: {message}"):
        open_columns(files, {"action": SPECS["action"]}).take("action", np.array([0]))


def test_a_column_without_rows(cache):
    columns = Columns(SPECS, [], np.array([0]))
    assert columns.whole("action").shape == (0, 2)


def test_the_cache_is_in_etudes_home(monkeypatch):
    monkeypatch.delenv("ETUDE_CACHE", raising=False)
    monkeypatch.setenv("ETUDE_HOME", "/data/etude")
    assert cache_folder("columns") == Path("/data/etude/cache/columns")
