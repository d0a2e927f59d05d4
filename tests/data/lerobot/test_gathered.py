import os

import pyarrow as pa
import pytest

from etude.core.errors import DatasetError
from etude.data.cache_folder import cache_folder
from etude.data.lerobot import gathered, tables
from etude.data.lerobot.gathered import read_gathered
from etude.data.lerobot.identity import identity


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two files, on a machine that thinks everything large."""
    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(gathered, "LARGE_BYTES", 0)
    for number in range(2):
        part = pa.table({"a": [2 * number, 2 * number + 1], "tasks": [["x"], ["y", "z"]], "b": [0.5, 1.5]})
        tables.write(tmp_path / f"{number}.parquet", part)
    return [tmp_path / "0.parquet", tmp_path / "1.parquet"]


WANTED = {"a": [0, 1, 2, 3], "tasks": [["x"], ["y", "z"]] * 2}


def test_the_second_reading_opens_no_parquet_file(files, monkeypatch):
    assert read_gathered(files, ["a", "tasks"]).to_pydict() == WANTED
    monkeypatch.setattr(tables, "read", lambda path, _: pytest.fail(f"{path} was read again"))
    assert read_gathered(files, ["a", "tasks"]).to_pydict() == WANTED


def test_other_columns_and_other_files_are_read_anew(files):
    read_gathered(files, ["a"])
    assert read_gathered(files, ["b"]).to_pydict() == {"b": [0.5, 1.5, 0.5, 1.5]}
    assert read_gathered(files[:1], ["a"]).to_pydict() == {"a": [0, 1]}
    tables.write(files[1], pa.table({"a": [8, 9]}))
    assert read_gathered(files, ["a"]).to_pydict() == {"a": [0, 1, 8, 9]}


@pytest.mark.parametrize("keep", [0, 100, -4])
def test_a_damaged_copy_is_made_again(files, keep):
    read_gathered(files, ["a"])
    (copy,) = cache_folder("tables").iterdir()
    copy.write_bytes(copy.read_bytes()[:keep])
    assert read_gathered(files, ["a"]).to_pydict() == {"a": [0, 1, 2, 3]}
    assert read_gathered(files, ["a"]).to_pydict() == {"a": [0, 1, 2, 3]}


def test_without_a_place_for_it_nothing_is_kept(files, tmp_path, monkeypatch):
    (tmp_path / "full").touch()
    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path / "full"))
    assert read_gathered(files, ["a"]).to_pydict() == {"a": [0, 1, 2, 3]}


def test_small_files_leave_nothing_behind(files, monkeypatch):
    monkeypatch.setattr(gathered, "LARGE_BYTES", 1 << 20)
    assert read_gathered(files, ["a", "tasks"]).to_pydict() == WANTED
    assert read_gathered([], ["a"]).num_rows == 0
    assert not cache_folder("tables").exists()


def test_a_missing_file_is_named(files):
    files[0].unlink()
    with pytest.raises(DatasetError, match=r"0\.parquet: is missing"):
        read_gathered(files, ["a"])


def test_a_value_changed_in_place_makes_another_file(files):
    before = identity(files)
    data = bytearray(files[0].read_bytes())
    files[0].write_bytes(data)
    os.utime(files[0], ns=(1, 1))
    assert identity(files) != before
