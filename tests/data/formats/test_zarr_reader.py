import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from etude.core.errors import DatasetError, MissingExtra
from etude.data import open_dataset
from etude.data.check import check
from etude.data.formats.zarr.config import Config

IMG, WRIST = "observation.images.img", "observation.images.wrist"


@pytest.fixture
def maker(golden_module):
    return golden_module("make_zarr")


@pytest.fixture
def root(maker, tmp_path):
    return maker.main(tmp_path)


@pytest.mark.parametrize("version", [2, 3])
def test_frames_are_cut_into_episodes(maker, tmp_path, facts3, version):
    dataset = open_dataset(maker.main(tmp_path, version=version))
    assert (dataset.fps, dataset.tasks) == (10, ["zarr_tiny"])
    assert dataset.episodes.length.tolist() == list(facts3.LENGTHS)
    arrays = maker.arrays()
    np.testing.assert_array_equal(dataset.column("action"), arrays["action"])
    np.testing.assert_array_equal(dataset.column("observation.state"), arrays["state"])
    assert dataset.column("observation.keypoint").shape == (9, 6)
    np.testing.assert_array_equal(dataset.images(WRIST, np.array([8, 3, 4])), arrays["wrist_rgb"][[8, 3, 4]])
    np.testing.assert_array_equal(dataset.images(IMG, np.arange(9)), arrays["img"].astype(np.uint8))


@pytest.mark.parametrize("inside", ["", "pusht.zarr/"])
def test_a_zip_file_is_read_where_it_is(root, maker, inside):
    path = maker.zipped(root, inside=inside)
    dataset = open_dataset(path)
    np.testing.assert_array_equal(dataset.column("action"), maker.arrays()["action"])
    np.testing.assert_array_equal(dataset.images(WRIST, np.array([7]))[0], maker.arrays()["wrist_rgb"][7])
    assert check(path) == []


def test_other_zip_files_are_not_claimed(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK no")
    assert not Config.matches(tmp_path / "a.zip")


def test_pictures_of_zero_to_one_are_brought_to_whole_numbers(root):
    import zarr

    array = zarr.open_group(root, mode="a")["data/img"]
    array[:] = array[:] / 255
    pictures = open_dataset(root).images(IMG, np.arange(9))
    assert np.abs(pictures.astype(int) - np.round(array[:] * 255)).max() <= 1


def test_ends_that_do_not_grow_or_fit_are_named(root):
    import zarr

    ends = zarr.open_group(root, mode="a")["meta/episode_ends"]
    ends[:] = [4, 4, 9]
    with pytest.raises(DatasetError, match="should be numbers that grow"):
        open_dataset(root)
    ends[:] = [4, 6, 8]
    with pytest.raises(DatasetError, match="holds 9 frames, the last episode ends at 8"):
        open_dataset(root)


def test_a_missing_piece_of_metadata_is_named(root):
    (root / "data/action/.zarray").write_text("{")
    with pytest.raises(DatasetError, match=r"zarr_tiny\.zarr: cannot be read as Zarr"):
        open_dataset(root)


def test_a_damaged_piece_is_named(root):
    for path in (root / "data/wrist_rgb").glob("[0-9]*"):
        path.write_bytes(path.read_bytes()[:30])
    dataset = open_dataset(root)
    with pytest.raises(DatasetError, match="data/wrist_rgb cannot be read"):
        dataset.images(WRIST, np.array([0]))


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("place", ["compressor", "filters"])
@pytest.mark.parametrize("dtype", ["|O", "<f4"])
def test_a_pickle_is_refused_before_it_can_run(root, tmp_path, place, dtype):
    path = root / "data/state/.zarray"
    stored = json.loads(path.read_text())
    codec = {"id": "pickle", "protocol": 5}
    path.write_text(json.dumps(stored | {"dtype": dtype, place: codec if place == "compressor" else [codec]}))
    for piece in (root / "data/state").glob("[0-9]*"):
        piece.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(DatasetError, match="pickle"):
        open_dataset(root)
    assert not (tmp_path / "sprung").exists()


def test_an_unknown_packing_is_named(root):
    path = root / "data/wrist_rgb/.zarray"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"compressor": {"id": "imagecodecs_jpegxl"}}))
    with pytest.raises(DatasetError, match="imagecodecs_jpegxl"):
        open_dataset(root)


def test_without_zarr_the_extra_is_named(root, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingExtra, match=r"pip install 'etude\[zarr\]'"):
        open_dataset(root)
