"""Checking as a whole: what is sound, what cannot be checked, what is told on the way."""

import shutil

import numpy as np
import pytest

from etude.core.errors import UserError
from etude.data import open_dataset
from etude.data.check import check, inspect
from etude.data.remedy import ranges

from .conftest import change_table, found


@pytest.mark.parametrize("name", ["lerobot_v3", "lerobot_v21"])
@pytest.mark.parametrize("deep", [False, True])
def test_sound_datasets_have_no_problem(golden, recorded, name, deep):
    assert found(golden / name, deep=deep) == []
    assert inspect(recorded, deep=deep).problems == inspect(recorded, deep=deep).notes == []


def test_a_folder_that_is_no_dataset_cannot_be_checked(tmp_path):
    with pytest.raises(UserError, match="is not a dataset"):
        check(tmp_path)


def test_what_an_old_format_cannot_have_edited_says_to_convert_it(golden, tmp_path):
    root = shutil.copytree(golden / "lerobot_v21", tmp_path / "old")
    path = sorted(root.glob("data/*/*"))[1]
    change_table(path, "frame_index", lambda values: [value + 1 for value in values])
    (problem,) = found(root)
    assert problem.endswith(
        "Copy the dataset again; or convert it (etude dataset convert {root} NEW) and leave out episode 1 there."
    )


def test_progress_is_told(root):
    told = []
    inspect(root, deep=True, tell=lambda *done: told.append(done))
    assert told == [("rows", 8, 8), ("pictures", 8, 8)]


def test_numbers_in_short():
    assert ranges([]) == ""
    assert ranges([3]) == "3"
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"


def test_the_real_dataset_is_sound(g1_bottle):
    assert check(g1_bottle) == []


def test_the_real_dataset_opens_and_its_first_and_last_frames_decode(g1_bottle):
    dataset = open_dataset(g1_bottle)
    assert (dataset.format, len(dataset.episodes), dataset.fps) == ("lerobot_v21", 10, 30)
    assert dataset.column("action").shape == (2819, 26)
    assert dataset.specs["action"].names[0] == "kLeftShoulderPitch"
    key = "observation.images.cam_high"
    pictures = dataset.images(key, np.array([0, 2818]))
    assert pictures.shape == (2, 480, 640, 3)
    mean = dataset.stats[key].mean.ravel() * 255
    np.testing.assert_allclose(pictures.mean((0, 1, 2)), mean, atol=12)
