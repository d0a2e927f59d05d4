import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import DatasetError
from etude.data.lerobot import tables


@given(rows=st.integers(0, 5), width=st.integers(2, 4), dtype=st.sampled_from(["float32", "float64", "int64", "bool"]))
def test_columns_round_trip(rows, width, dtype):
    for shape in ((), (width,)):
        values = np.random.default_rng(0).integers(0, 2, (rows, *shape)).astype(dtype)
        column = pa.chunked_array([tables.from_numpy(values)])
        got = tables.to_numpy(column, shape)
        assert got.dtype == values.dtype
        np.testing.assert_array_equal(got, values)


def test_lists_of_any_depth_and_slices_are_read():
    nested = [[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]]
    column = pa.chunked_array([pa.array(nested, pa.list_(pa.list_(pa.int64(), 2)))])
    assert tables.to_numpy(column, (2, 2)).tolist() == nested
    assert tables.to_numpy(column[1:], (2, 2)).tolist() == nested[1:]


def test_a_missing_column_is_named(tmp_path):
    tables.write(tmp_path / "a.parquet", pa.table({"a": [1]}))
    assert tables.read(tmp_path / "a.parquet", ["a"]).to_pydict() == {"a": [1]}
    with pytest.raises(DatasetError, match=r"a\.parquet: lacks the column b, which the dataset declares"):
        tables.read(tmp_path / "a.parquet", ["a", "b"])


@pytest.mark.parametrize("keep", [0, 3, 60, -1])
def test_a_truncated_table_is_named(tmp_path, keep):
    path = tmp_path / "a.parquet"
    tables.write(path, pa.table({"a": list(range(1000))}))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=r"a\.parquet: cannot be read as Parquet .* truncated or damaged"):
        tables.read(path)


def test_a_page_that_was_overwritten_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    tables.write(path, pa.table({"a": np.random.default_rng(0).standard_normal(10_000)}))
    data = bytearray(path.read_bytes())
    data[4:200] = b"\0" * 196
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"a\.parquet: cannot be read as Parquet"):
        tables.read(path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"gone\.parquet: is missing"):
        tables.read(tmp_path / "gone.parquet")
