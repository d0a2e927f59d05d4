"""The compact protocol: what is written reads back, and no bytes make the reader do anything but refuse."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.data.lerobot import thrift
from etude.data.lerobot.thrift import BINARY, FALSE, I32, I64, LIST, STRUCT, TRUE, Field, Malformed


def coded(*fields):
    return memoryview(thrift.write([Field(*field) for field in fields]))


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_of_any_width_read_back(value):
    assert thrift.read(coded((1, I64, thrift.integer(value))), 0)[0] == {1: value}


def test_a_structure_is_coded_as_the_specification_says():
    # Zigzag 150 is 300 = 0b10_0101100, low seven bits first; field 1 of kind i32 is 0x15.
    assert bytes(coded((1, I32, thrift.integer(150)))) == bytes([0x15, 0xAC, 0x02, 0x00])
    # 3 - 1 = 2 steps on, kind binary (8); its length, its bytes.
    assert bytes(coded((1, TRUE, b""), (3, BINARY, thrift.binary(b"ab")))) == b"\x11\x28\x02ab\x00"


def test_fields_far_apart_lists_and_structures_read_back():
    inner = bytes(coded((2, BINARY, thrift.binary(b"x" * 300)), (7, FALSE, b"")))
    many = thrift.sequence(I32, [thrift.integer(each) for each in range(-10, 10)])
    data = coded((1, TRUE, b""), (40, LIST, many), (41, LIST, thrift.sequence(STRUCT, [inner, inner])))
    read, end = thrift.read(data, 0)
    assert read == {1: True, 40: list(range(-10, 10)), 41: [{2: b"x" * 300, 7: False}] * 2}
    assert end == len(data)


def test_a_footer_that_pyarrow_wrote_is_split_and_put_together_again():
    sink = io.BytesIO()
    pq.write_table(pa.table({"a.b": [1.5, None], "c": [["x"], []]}), sink)
    file = sink.getvalue()
    start = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    assert thrift.write(thrift.fields(memoryview(file), start)) == file[start:-8]
    assert thrift.read(memoryview(file), start)[0][3] == 2  # num_rows


@given(st.binary(max_size=200))
def test_any_bytes_are_a_structure_or_are_refused(data):
    try:
        _, end = thrift.read(memoryview(data), 0)
    except Malformed:
        return
    assert 0 < end <= len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x15",  # a field without its value
        b"\x15\x80",  # a number that goes on
        b"\x15" + b"\x80" * 20 + b"\x00",  # a number that never ends
        b"\x18\x7fab\x00",  # text longer than the bytes
        b"\x19\xf8\xff\xff\xff\x0f\x00",  # a list longer than the bytes
        b"\x1d\x00\x00",  # a kind that is none
        b"\x1c" * 100,  # structures within structures
        b"\x19" + b"\x19" * 100,  # lists within lists
    ],
)
def test_what_does_not_fit_is_refused(data):
    with pytest.raises(Malformed):
        thrift.read(memoryview(data), 0)
