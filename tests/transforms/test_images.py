from __future__ import annotations

import numpy as np
import pytest
import torch

from etude.core.errors import SpecMismatch
from etude.transforms.images import ImageToFloat, Resize


def test_areas_are_averaged():
    image = np.zeros((2, 4, 3), np.uint8)
    image[:, :2] = [[[100, 0, 0]], [[200, 0, 0]]]
    small = Resize(keys=("i",), size=(1, 2))({"i": image})["i"]
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, [[[150, 0, 0], [0, 0, 0]]])


def test_batches_keep_their_axes():
    images = np.zeros((2, 5, 8, 6, 3), np.uint8)
    assert Resize(keys=("i",), size=(4, 3))({"i": images})["i"].shape == (2, 5, 4, 3, 3)


@pytest.mark.parametrize("image", [np.zeros((4, 3, 3), np.uint8), torch.zeros((2, 4, 3, 3), dtype=torch.uint8)])
def test_the_right_size_is_not_touched(image):
    assert Resize(keys=("i",), size=(4, 3))({"i": image})["i"] is image


def test_tensors_of_the_wrong_size_are_refused():
    with pytest.raises(SpecMismatch, match="4x3 pictures"):
        Resize(keys=("i",), size=(4, 3))({"i": torch.zeros(8, 6, 3, dtype=torch.uint8)})


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_to_float_by_hand(kind):
    image = np.zeros((2, 4, 5, 3), np.uint8)
    image[1, 2, 3] = [255, 51, 0]
    result = ImageToFloat(keys=("i", "absent"))({"i": kind(image)})["i"]
    assert tuple(result.shape) == (2, 3, 4, 5)
    assert str(result.dtype).endswith("float32")
    np.testing.assert_allclose(np.asarray(result)[1, :, 2, 3], [1.0, 0.2, 0.0])
