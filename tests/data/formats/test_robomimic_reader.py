import json

import h5py
import numpy as np
import pytest

from etude.core.errors import DatasetError, NotFound
from etude.data import formats, open_dataset
from etude.data.check import check
from etude.data.formats.robomimic.config import Config

TOP = "observation.images.top"


@pytest.fixture
def path(golden_module, tmp_path):
    return golden_module("make_robomimic").main(tmp_path)


def test_arrays_get_the_names_of_the_field(path, facts3):
    dataset = open_dataset(path)
    assert (dataset.fps, dataset.robot_type, dataset.tasks) == (25, "Panda", ["Lift"])
    assert dataset.episodes.length.tolist() == list(facts3.LENGTHS)
    wanted = np.concatenate([facts3.episode(number, facts3.state, 9) for number in range(3)]).astype(np.float32)
    np.testing.assert_array_equal(dataset.column("observation.state"), wanted)
    assert dataset.column("observation.environment_state").shape == (9, 10)
    assert dataset.column("next.done")[:, 0].nonzero()[0].tolist() == [3, 5, 8]
    assert dataset.column("next.reward")[3].tolist() == [1.0]
    assert not any("next_obs" in key or "states" in key for key in dataset.specs)
    assert any("top_depth (float32[24, 32, 1])" in note for note in dataset.notes)
    np.testing.assert_array_equal(dataset.images(TOP, np.array([8]))[0], facts3.picture(2, 2))


def test_a_filter_chooses_demonstrations(path, facts3):
    dataset = formats.build(Config(mask="train"), path)
    assert dataset.episodes.length.tolist() == [facts3.LENGTHS[0], facts3.LENGTHS[2]]
    np.testing.assert_array_equal(dataset.images(TOP, np.array([4]))[0], facts3.picture(2, 0))
    with pytest.raises(NotFound, match="Known: train"):
        formats.build(Config(mask="trian"), path)


def test_liberos_files_have_the_same_layout(path, facts3):
    with h5py.File(path, "a") as file:
        for name in file["data"]:
            group = file["data"][name]
            for part in ("obs", "next_obs"):
                del group[part]
            length = len(group["actions"])
            group["obs/ee_states"], group["obs/gripper_states"] = np.zeros((length, 6)), np.ones((length, 2))
            group["obs/agentview_rgb"] = facts3.episode(facts3.LENGTHS.index(length), facts3.picture)
        told = {"language_instruction": "put the bowl on the stove"}
        file["data"].attrs["problem_info"] = json.dumps(told)
    dataset = open_dataset(path)
    assert dataset.tasks == ["put the bowl on the stove"]
    assert dataset.column("observation.state")[0].tolist() == [0] * 6 + [1] * 2
    assert list(dataset.codecs) == ["observation.images.agentview"]


def test_a_wrong_counter_is_a_problem(path):
    with h5py.File(path, "a") as file:
        file["data/demo_2"].attrs["num_samples"] = 5
    assert [problem.what for problem in check(path)] == ["demo_2 promises 5 frames and holds 2"]


def test_a_demonstration_unlike_the_first_is_named(path):
    with h5py.File(path, "a") as file:
        del file["data/demo_2/rewards"]
        file["data/demo_2/rewards"] = np.zeros(7)
    with pytest.raises(DatasetError, match=r"/data/demo_2 should hold one length of all arrays, got .*rewards 7"):
        open_dataset(path)
    with h5py.File(path, "a") as file:
        del file["data/demo_2/rewards"]
    with pytest.raises(DatasetError, match="/data/demo_2 lacks 'rewards'"):
        open_dataset(path)


def test_other_hdf5_files_are_told_apart(tmp_path, golden_module):
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(DatasetError, match="is HDF5, but no robomimic dataset"):
        open_dataset(tmp_path / "weights.h5")
    root = golden_module("make_aloha").main(tmp_path)
    with pytest.raises(DatasetError, match=r"is one episode of an ALOHA dataset\. Give the folder"):
        open_dataset(root / "episode_0.hdf5")


def test_a_file_that_is_cut_off_is_named(path):
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"robomimic_tiny\.hdf5: cannot be read as HDF5"):
        open_dataset(path)
