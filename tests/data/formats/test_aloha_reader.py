import sys

import h5py
import numpy as np
import pytest

from etude.core.errors import DatasetError, MissingExtra
from etude.data import formats, open_dataset
from etude.data.check import check
from etude.data.formats.aloha.config import Config

TOP = "observation.images.top"


@pytest.fixture
def root(golden_module, tmp_path):
    return golden_module("make_aloha").main(tmp_path)


def test_arrays_get_the_names_of_the_field(root, facts3):
    dataset = open_dataset(root)
    assert (dataset.fps, dataset.robot_type, dataset.tasks) == (50, "aloha_sim", ["aloha_tiny"])
    assert [len(episode) for episode in dataset.episodes] == list(facts3.LENGTHS)
    wanted = np.concatenate([facts3.episode(number, facts3.state, 14) for number in range(3)]).astype(np.float32)
    np.testing.assert_array_equal(dataset.column("observation.state"), wanted)
    np.testing.assert_array_equal(dataset.column("observation.velocity"), -wanted)
    assert dataset.column("action.base").shape == (9, 2)
    assert dataset.specs["action"].names[:2] == ("left_waist", "left_shoulder")
    assert dataset.column("timestamp")[:4].tolist() == pytest.approx([0, 0.02, 0.04, 0.06])
    assert any("50 per second is assumed" in note for note in dataset.notes)


def test_raw_pictures_are_those_in_the_file(root, facts3):
    pictures = open_dataset(root).images(TOP, np.array([5, 0, 8]))
    wanted = [facts3.picture(*place) for place in ((1, 1), (0, 0), (2, 2))]
    np.testing.assert_array_equal(pictures, wanted)


def test_jpeg_pictures_are_decoded_whatever_their_padding(golden_module, tmp_path, facts3):
    dataset = open_dataset(golden_module("make_aloha").main(tmp_path, compress=True))
    assert dataset.codecs == {TOP: "jpeg", "observation.images.wrist": "jpeg"}
    assert not any("compress_len" in note for note in dataset.notes)
    picture = dataset.images(TOP, np.array([1]))[0].astype(int)
    assert np.abs(picture - facts3.picture(0, 1)).mean() < 4
    swapped = formats.build(Config(swap_red_blue=True), dataset.root).images(TOP, np.array([1]))[0]
    np.testing.assert_array_equal(swapped, picture[..., ::-1])
    assert check(dataset.root) == []


def test_keys_join_the_base_to_the_arms(root):
    config = Config(keys={"action": "action", "base_action": "action"}, fps=25, task="Cook")
    dataset = formats.build(config, root)
    assert dataset.specs["action"].shape == (16,)
    assert (dataset.fps, dataset.tasks) == (25, ["Cook"])


def test_the_frame_rate_in_the_file_counts(root):
    with h5py.File(root / "episode_0.hdf5", "a") as file:
        file.attrs["fps"] = 30
    assert open_dataset(root).fps == 30


def test_episodes_come_in_the_order_of_their_numbers(root, facts3):
    (root / "episode_1.hdf5").rename(root / "episode_10.hdf5")
    dataset = open_dataset(root)
    assert dataset.episodes.length.tolist() == [facts3.LENGTHS[0], facts3.LENGTHS[2], facts3.LENGTHS[1]]
    assert [problem.what for problem in check(root)] == [
        f"episode_{number} is missing" for number in (1, *range(3, 10))
    ]


def replace_array(path, name, values=None):
    with h5py.File(path, "a") as file:
        del file[name]
        if values is not None:
            file[name] = values


def test_an_episode_unlike_the_first_is_named(root):
    replace_array(root / "episode_1.hdf5", "observations/qpos", np.zeros((1, 14)))
    with pytest.raises(DatasetError, match=r"episode_1\.hdf5: should hold one length of all arrays, got .*action 2"):
        open_dataset(root)
    replace_array(root / "episode_1.hdf5", "action")
    with pytest.raises(DatasetError, match=r"episode_1\.hdf5: lacks 'action'"):
        open_dataset(root)


def test_another_shape_is_named(root):
    replace_array(root / "episode_2.hdf5", "action", np.zeros((3, 7)))
    with pytest.raises(DatasetError, match="'action' has another shape than in the first episode"):
        open_dataset(root)


def test_a_file_that_is_cut_off_is_named(root):
    path = root / "episode_1.hdf5"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DatasetError, match=r"episode_1\.hdf5: .*cut off or damaged"):
        open_dataset(root)


def test_a_damaged_jpeg_is_named(golden_module, tmp_path):
    root = golden_module("make_aloha").main(tmp_path, compress=True)
    with h5py.File(root / "episode_1.hdf5", "a") as file:
        file["observations/images/top"][1] = 0
    dataset = open_dataset(root)
    with pytest.raises(DatasetError, match=r"episode_1\.hdf5: the picture of 'observations/images/top' in frame 1"):
        dataset.images(TOP, np.array([5]))


def test_pictures_are_known_again_until_the_file_changes(root):
    before = open_dataset(root).fingerprint(TOP, 1)
    assert open_dataset(root).fingerprint(TOP, 1) == before != open_dataset(root).fingerprint(TOP, 2)
    with h5py.File(root / "episode_1.hdf5", "a") as file:
        file["observations/images/top"][0] = 7
    assert open_dataset(root).fingerprint(TOP, 1) != before


def test_without_h5py_the_extra_is_named(root, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtra, match=r"pip install 'etude\[hdf5\]'"):
        open_dataset(root)
