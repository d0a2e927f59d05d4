"""Changes to pictures against torchvision's, stored in a golden file, and turning and moving by hand."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.nn import pictures

GOLDEN = Path(__file__).parents[1] / "golden"
OURS = {
    "brightness": pictures.brighten,
    "contrast": pictures.contrast,
    "saturation": pictures.saturate,
    "hue": pictures.turn_hue,
    "sharpness": pictures.sharpen,
}


@pytest.mark.parametrize("name", OURS)
def test_it_is_torchvisions(name):
    make = runpy.run_path(str(GOLDEN / "make_pictures.py"))
    with np.load(GOLDEN / "pictures.npz") as stored:
        wanted = stored[name]
    amounts = torch.tensor(make["AMOUNTS"][name])
    given = torch.from_numpy(make["picture"]()).expand(len(amounts), -1, -1, -1)
    changed = OURS[name](255 * given, amounts) / 255
    np.testing.assert_allclose(changed.numpy(), wanted, atol=2e-5)


@pytest.mark.parametrize("name", OURS)
def test_all_pictures_of_a_sample_change_alike_and_each_for_itself(name):
    given = 255 * torch.rand(2, 3, 5, 6, 3, generator=torch.Generator().manual_seed(0))
    amounts = torch.tensor([0.2, 0.4])
    together = OURS[name](given, amounts)
    for time in range(3):
        torch.testing.assert_close(together[:, time], OURS[name](given[:, time], amounts))


class TestAffine:
    def test_a_quarter_turn_is_clockwise(self):
        given = torch.rand(1, 5, 5, 3)
        turned = pictures.affine(given, torch.tensor([90.0]), torch.zeros(1, 2))
        torch.testing.assert_close(turned, given.rot90(-1, (1, 2)), atol=1e-5, rtol=0)

    def test_a_half_turn_of_a_wide_picture(self):
        given = torch.rand(1, 4, 7, 3)
        turned = pictures.affine(given, torch.tensor([180.0]), torch.zeros(1, 2))
        torch.testing.assert_close(turned, given.flip(1, 2), atol=1e-5, rtol=0)

    def test_moving_repeats_the_edge(self):
        given = torch.rand(1, 4, 8, 3)
        moved = pictures.affine(given, torch.zeros(1), torch.tensor([[2 / 8, 1 / 4]]))
        torch.testing.assert_close(moved[:, 1:, 2:], given[:, :-1, :-2], atol=1e-5, rtol=0)
        torch.testing.assert_close(moved[:, :, :2], moved[:, :, 2:3].expand(-1, -1, 2, -1), atol=1e-5, rtol=0)

    def test_turning_comes_before_moving(self):
        given = torch.rand(1, 6, 6, 3)
        both = pictures.affine(given, torch.tensor([90.0]), torch.tensor([[1 / 6, 0.0]]))
        turned = pictures.affine(given, torch.tensor([90.0]), torch.zeros(1, 2))
        torch.testing.assert_close(both[:, :, 1:], turned[:, :, :-1], atol=1e-5, rtol=0)

    def test_samples_have_their_own_and_their_times_share_it(self):
        given = torch.rand(2, 3, 5, 5, 3)
        turned = pictures.affine(given, torch.tensor([0.0, 90.0]), torch.zeros(2, 2))
        torch.testing.assert_close(turned[0], given[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(turned[1], given[1].rot90(-1, (1, 2)), atol=1e-5, rtol=0)
