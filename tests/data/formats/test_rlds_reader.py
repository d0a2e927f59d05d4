import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import DatasetError, NotFound
from etude.data import formats, open_dataset
from etude.data.check import check
from etude.data.formats.rlds import example
from etude.data.formats.rlds.checksum import by_lanes, crc32c, masked
from etude.data.formats.rlds.config import Config
from etude.data.formats.rlds.example import Malformed
from etude.data.formats.rlds.records import mapped, records

IMAGE, WRIST = "observation.images.image", "observation.images.wrist"
SHARD = "tiny_robot-train.tfrecord-0000{}-of-00002"


@pytest.fixture
def root(golden, tmp_path):
    return shutil.copytree(golden / "rlds", tmp_path / "dataset")


@pytest.fixture(scope="module")
def rlds(golden_module):
    return golden_module("rlds_facts")


def rows(rlds, value, dtype=np.float32):
    return np.stack(
        [value(episode, tick) for episode, length in enumerate(rlds.LENGTHS) for tick in range(length)]
    ).astype(dtype)


def test_numbers_are_those_that_tensorflow_wrote(root, rlds):
    dataset = open_dataset(root)
    assert dataset.episodes.length.tolist() == list(rlds.LENGTHS)
    assert dataset.tasks == list(rlds.TASKS)
    np.testing.assert_array_equal(dataset.column("observation.state"), rows(rlds, rlds.state))
    np.testing.assert_array_equal(dataset.column("action"), rows(rlds, rlds.action))
    np.testing.assert_array_equal(dataset.column("observation.grip"), rows(rlds, rlds.grip))
    np.testing.assert_array_equal(dataset.column("observation.contacts"), rows(rlds, rlds.contacts, np.int64))
    np.testing.assert_array_equal(dataset.column("next.reward")[:, 0], rows(rlds, rlds.reward))
    assert dataset.column("next.done")[:, 0].tolist() == [False, False, True] + [False] * 4 + [True]
    assert dataset.column("next.terminated")[:, 0].nonzero()[0].tolist() == [2]


def test_pictures_are_those_that_tensorflow_wrote(root, rlds):
    dataset = open_dataset(root)
    wanted = rows(rlds, rlds.picture, np.uint8)
    np.testing.assert_array_equal(dataset.images(WRIST, np.arange(8)), wanted[:, ::-1])
    assert np.abs(dataset.images(IMAGE, np.arange(8)).astype(int) - wanted).mean() < 5
    assert dataset.codecs == {IMAGE: "jpeg", WRIST: "png"}


def test_what_is_left_out_or_assumed_is_said(root):
    notes = " ".join(open_dataset(root).notes)
    assert "observation/boxes (object[]), observation/depth (uint8[24, 32, 1])" in notes
    assert "10 per second is assumed" in notes
    assert "Only the split train is read; there are val too" in notes


def test_another_split_and_other_names(root):
    keys = {"observation/grip": "observation.state", "observation/state": "observation.state"}
    dataset = formats.build(Config(split="val", fps=5, keys=keys), root)
    assert dataset.specs["observation.state"].shape == (6,)
    assert dataset.column("observation.state")[1].tolist() == pytest.approx([1 / 7, -1, 0, 1, 0.1, -1e-3])
    with pytest.raises(NotFound, match="Known: train, val"):
        formats.build(Config(split="test"), root)


def test_a_missing_file_is_named(root):
    (root / SHARD.format(1)).unlink()
    with pytest.raises(DatasetError, match="lacks 1 of its files, first train 00001 of 00002"):
        open_dataset(root)


@pytest.mark.parametrize(("place", "said"), [(3, "its length has a wrong checksum"), (9, "its length has")])
def test_a_damaged_header_is_named(root, place, said):
    flip(root / SHARD.format(1), place)
    with pytest.raises(DatasetError, match=rf"00001-of-00002: record 0 at byte 0 is damaged: {said}"):
        open_dataset(root)


def test_a_file_that_is_cut_off_is_named(root):
    path = root / SHARD.format(0)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DatasetError, match=r"record 0 at byte 0 is cut off: \d+ bytes are promised"):
        open_dataset(root)
    path.write_bytes(path.read_bytes()[:5])
    with pytest.raises(DatasetError, match="is cut off: the file ends in it"):
        open_dataset(root)


def test_a_damaged_record_is_found_when_it_is_read_and_by_check(root):
    path = root / SHARD.format(1)
    flip(path, path.stat().st_size - 5)
    with pytest.raises(DatasetError, match="record 0 at byte 12 is damaged: its checksum is wrong"):
        open_dataset(root).images(IMAGE, np.array([3]))
    assert open_dataset(root).images(IMAGE, np.array([2])).shape == (1, 24, 32, 3)
    assert any("checksum is wrong" in problem.what for problem in check(root))


def test_a_wrong_number_of_records_is_a_problem(root):
    path = root / "dataset_info.json"
    info = json.loads(path.read_text())
    info["splits"][0]["shardLengths"] = ["1", "2"]
    path.write_text(json.dumps(info))
    assert [problem.what for problem in check(root)] == ["holds 1 records, not 2"]


def test_a_folder_of_other_features_says_so(root):
    (root / "features.json").write_text('{"featuresDict": {"features": {}}}')
    with pytest.raises(DatasetError, match="describes no episodes"):
        open_dataset(root)


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 16
    path.write_bytes(data)


def test_the_checksum_is_castagnolis():
    assert crc32c(b"123456789") == 0xE3069283
    assert masked(crc32c(b"")) == 0xA282EAD8


@given(st.binary(max_size=50), st.integers(0, 5000))
def test_both_ways_to_the_checksum_agree(start, length):
    data = start + bytes(index * 7 % 256 for index in range(length))
    assert by_lanes(data) == crc32c(data)


def varint(value):
    value %= 1 << 64
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def encoded(kind, data):
    entry = message(1, b"key") + message(2, message(kind, data))
    return memoryview(message(1, message(1, entry)))


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers_come_back(values):
    packed = encoded(example.INTEGERS, message(1, b"".join(map(varint, values))))
    single = encoded(example.INTEGERS, b"".join(varint(8) + varint(value) for value in values))
    for data in (packed, single):
        assert example.integers(data, example.features(data, (0, len(data)))["key"]).tolist() == values


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_floats_come_back(values):
    data = encoded(example.FLOATS, message(1, struct.pack(f"<{len(values)}f", *values)))
    assert example.floats(data, example.features(data, (0, len(data)))["key"]).tolist() == values


@given(st.lists(st.binary(max_size=300)))
def test_bytes_come_back(values):
    data = encoded(example.BYTES, b"".join(message(1, value) for value in values))
    spans = example.strings(data, example.features(data, (0, len(data)))["key"])
    assert [bytes(data[slice(*span)]) for span in spans] == values


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(noise):
    data = memoryview(noise)
    try:
        for feature in example.features(data, (0, len(data))).values():
            {1: example.strings, 2: example.floats, 3: example.integers}.get(
                example.kind_of(data, feature), example.strings
            )(data, feature)
    except Malformed as error:
        assert str(error)  # noqa: PT017  either outcome is right


@given(st.data())
def test_a_record_with_any_byte_changed_is_read_or_refused(data):
    path = Path(__file__).parents[2] / "golden/rlds" / SHARD.format(0)
    record = records(path)[0]
    with mapped(path) as mapping:
        content = bytearray(mapping[slice(*record.span)])
    for _ in range(3):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    changed = memoryview(content)
    try:
        for feature in example.features(changed, (0, len(changed))).values():
            kind = example.kind_of(changed, feature)
            if kind in (1, 2, 3):
                (example.strings, example.floats, example.integers)[kind - 1](changed, feature)
    except Malformed as error:
        assert str(error)  # noqa: PT017
