"""Going on where the old chunk will be: by hand, as a law and against LeRobot's guidance."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.nn.heads.integrate import even_grid, integrate
from etude.nn.heads.rtc import Guidance, Inpainting, OldChunk, prefix_weights

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="module")
def make():
    return runpy.run_path(str(GOLDEN / "make_rtc.py"))


@pytest.fixture(scope="module")
def answers():
    with np.load(GOLDEN / "rtc.npz") as stored:
        return dict(stored)


def old_chunk(left, delay, total, **options):
    return OldChunk.of(left, torch.full((len(left),), delay), total=total, **{"schedule": "LINEAR"} | options)


def test_weights_by_hand():
    weights = prefix_weights(torch.tensor([2, 0]), 6, 8, "LINEAR")
    torch.testing.assert_close(weights[0], torch.tensor([1, 1, 0.8, 0.6, 0.4, 0.2, 0, 0]))
    torch.testing.assert_close(weights[1], torch.tensor([6, 5, 4, 3, 2, 1, 0, 0]) / 7)


def test_every_schedule_is_lerobots(make, answers):
    for schedule, delay, end in make["cases"]():
        weights = prefix_weights(torch.tensor([delay]), end, make["TOTAL"], schedule)
        wanted = answers[f"weights.{schedule}.{delay}.{end}"]
        np.testing.assert_allclose(weights[0].numpy(), wanted, atol=1e-6, err_msg=f"{schedule} {delay} {end}")


def test_guidance_is_lerobots(make, answers):
    noise, left = (torch.from_numpy(make["drawn"](name, make["CHUNK"])) for name in ("noise", "old"))
    for place, (schedule, delay, end, most) in enumerate(make["GUIDED"]):
        old = old_chunk(left[:, : make["LEFT"]], delay, make["CHUNK"][1], schedule=schedule, end=end)
        guide = Guidance(old=old, max_weight=most)
        with torch.inference_mode():
            made = integrate(make["speed"], noise, even_grid(make["NUM_STEPS"]), guide=guide)
        np.testing.assert_allclose(made.numpy(), answers[f"sampled.{place}"], atol=1e-5, rtol=1e-5)


def test_an_old_chunk_lies_where_its_actions_are_in_the_new_one():
    left = torch.arange(1.0, 5.0).reshape(1, 4, 1)
    old = old_chunk(left, 2, 7, before=1, schedule="ZEROS")
    assert old.values.flatten().tolist() == [0, 1, 2, 3, 4, 0, 0]
    assert old.weights[0].tolist() == [0, 1, 1, 0, 0, 0, 0]
    assert old.is_certain[0].tolist() == [False, True, True, False, False, False, False]


def test_what_is_left_longer_than_the_chunk_is_cut():
    old = old_chunk(torch.ones(1, 9, 1), 3, 4, schedule="ONES")
    assert old.values.shape == (1, 4, 1)
    assert old.weights[0].tolist() == [1, 1, 1, 1]


def test_nothing_more_is_certain_than_there_is():
    assert old_chunk(torch.ones(1, 2, 1), 5, 4).is_certain[0].tolist() == [True, True, False, False]


def bent(values, time):
    """A stand-in for a network, whose Jacobian is neither 0 nor 1."""
    return (values + 0.3 * values.flip(1) - time[..., None]).sin()


@pytest.mark.parametrize("kind", [Inpainting, Guidance])
def test_without_weight_nothing_changes(kind):
    noise = torch.randn(2, 5, 3)
    guide = kind(old=old_chunk(torch.zeros(2, 0, 3), 0, 5))
    plain = integrate(bent, noise, even_grid(5))
    torch.testing.assert_close(integrate(bent, noise, even_grid(5), guide=guide), plain)


def test_inpainting_ends_in_the_old_chunk_where_it_has_all_the_weight():
    left, noise = torch.randn(2, 3, 3), torch.randn(2, 6, 3)
    old = old_chunk(left, 2, 6)
    made = integrate(bent, noise, even_grid(4), guide=Inpainting(old=old))
    torch.testing.assert_close(made[:, :2], left[:, :2], atol=1e-5, rtol=1e-5)
    half = old.weights[0, 2]
    seen = integrate(bent, noise, even_grid(4))
    assert 0 < half < 1
    assert (made[:, 2] - left[:, 2]).abs().mean() < (seen[:, 2] - left[:, 2]).abs().mean()


@pytest.mark.parametrize("jacobian", ["identity", "full"])
def test_guidance_comes_nearer_to_the_old_chunk(jacobian):
    torch.manual_seed(0)
    left, noise = torch.randn(4, 5, 2).clamp(-1, 1), torch.randn(4, 5, 2)
    guide = Guidance(old=old_chunk(left, 5, 5), jacobian=jacobian)
    with torch.no_grad():
        plain, made = (integrate(bent, noise, even_grid(10), guide=one) for one in (None, guide))
    assert (made - left).abs().mean() < 0.3 * (plain - left).abs().mean()
    assert not made.requires_grad


def test_the_full_pull_goes_back_through_the_network_by_hand():
    # Told 3 x at time 1/2, a network sees x - 3x/2 = -x/2 in x; the slope back is -1/2.
    old = OldChunk(values=torch.ones(1, 1, 1), weights=torch.ones(1, 1), is_certain=torch.ones(1, 1, dtype=torch.bool))
    x = torch.full((1, 1, 1), 2.0)
    for jacobian, slope in (("identity", 1.0), ("full", -0.5)):
        guide = Guidance(old=old, jacobian=jacobian)
        told, change = guide.pull(lambda values: (values - 0.5 * (3 * values), 3 * values), x, 0.5)
        assert told.item() == 6.0
        assert change.item() == pytest.approx(-2.0 * slope * (1 - -1))  # weight 2, error 2


def test_nothing_waits_for_a_device():
    """On a device without values there is nothing to wait for: whoever asks for one fails."""
    noise, left, delay = (torch.zeros(shape, device="meta") for shape in ((2, 5, 3), (2, 3, 3), (2,)))
    old = OldChunk.of(left, delay, total=5, schedule="EXP")
    for guide in (None, Inpainting(old=old), Guidance(old=old), Guidance(old=old, jacobian="full")):
        made = integrate(bent, noise, even_grid(3), method="heun", given=old.given, guide=guide)
        assert made.shape == noise.shape


def test_the_weight_by_hand():
    guide = Guidance(old=None, max_weight=5.0)
    assert guide.weight(0.5) == pytest.approx(2.0)
    assert guide.weight(0.25) == pytest.approx((0.75**2 + 0.25**2) / (0.75 * 0.25))
    assert guide.weight(1.0) == guide.weight(0.0) == guide.weight(1e-4) == 5.0
