"""The straight way from noise to values, by hand, as a law and against LeRobot's pi0."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.nn.heads import flow
from etude.nn.heads.flow import TimeLaw
from etude.nn.heads.integrate import Given, even_grid, integrate

GOLDEN = Path(__file__).parents[2] / "golden"
DRAWS = 20_000


def test_values_and_velocity_by_hand():
    clean, noise = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[5.0], [-2.0]]])
    assert flow.mixed(clean, noise, torch.tensor([0.25])).flatten().tolist() == [2.0, 1.0]
    assert flow.mixed(clean, noise, torch.tensor([[0.0, 1.0]])).flatten().tolist() == [1.0, -2.0]
    assert flow.velocity(clean, noise).flatten().tolist() == [4.0, -4.0]


@pytest.mark.parametrize("time", [torch.tensor([0.2, 0.9]), torch.rand(2, 5) * 0.9 + 0.05])
def test_what_a_network_may_tell_is_convertible(time):
    clean, noise = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    values, speed = flow.mixed(clean, noise, time), flow.velocity(clean, noise)
    torch.testing.assert_close(flow.clean_of(values, speed, time), clean)
    torch.testing.assert_close(flow.noise_of(values, speed, time), noise)
    torch.testing.assert_close(flow.velocity_of(values, clean, time), speed, atol=1e-4, rtol=1e-4)


def test_what_is_left_out_of_the_loss_does_not_count():
    clean, noise = torch.zeros(1, 3, 2), torch.ones(1, 3, 2)
    told = torch.tensor([[[1.0, 1.0], [9.0, 9.0], [3.0, 1.0]]])
    assert flow.flow_loss(told, clean, noise, torch.tensor([[False, True, False]])) == pytest.approx(1.0)


@pytest.mark.parametrize("is_stratified", [False, True])
@pytest.mark.parametrize(
    ("law", "mean", "median"),
    [
        (TimeLaw(kind="uniform"), 0.5, 0.5),
        (TimeLaw(), 0.999 * 0.6 + 0.001, 0.999 * 0.5 ** (1 / 1.5) + 0.001),
        (TimeLaw(alpha=1.0, beta=2.0, scale=1.0), 1 / 3, 1 - math.sqrt(0.5)),
        (TimeLaw(kind="logit_normal"), 0.5, 0.5),
        (TimeLaw(kind="logit_normal", mean=1.0, std=0.01), 0.7311, 0.7311),
    ],
)
def test_every_law_has_its_mean_and_its_median(law, mean, median, is_stratified):
    torch.manual_seed(0)
    law = TimeLaw(**{**vars(law), "is_stratified": is_stratified})
    drawn = law.draw(DRAWS)
    assert drawn.shape == (DRAWS,)
    assert ((drawn >= 0) & (drawn <= 1)).all()
    assert drawn.mean().item() == pytest.approx(mean, abs=0.01)
    assert drawn.median().item() == pytest.approx(median, abs=0.01)


def test_a_beta_without_a_closed_form_is_drawn_too_but_not_stratified():
    torch.manual_seed(0)
    law = TimeLaw(alpha=2.0, beta=3.0, scale=1.0)
    assert law.draw(DRAWS).mean().item() == pytest.approx(0.4, abs=0.01)
    with pytest.raises(ValueError, match="stratified only where alpha or beta is 1"):
        TimeLaw(alpha=2.0, beta=3.0, is_stratified=True).draw(4)


def test_stratified_draws_fill_every_stratum():
    drawn = TimeLaw(kind="uniform", is_stratified=True).draw(16)
    assert sorted((drawn * 16).long().tolist()) == list(range(16))


@pytest.mark.parametrize("method", ["euler", "midpoint", "heun"])
def test_a_straight_flow_is_followed_in_one_step(method):
    clean, noise = torch.randn(3, 4, 2), torch.randn(3, 4, 2)
    made = integrate(lambda values, time: noise - clean, noise, even_grid(1), method=method)
    torch.testing.assert_close(made, clean)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_the_error_shrinks_with_the_order_of_the_method(method, order):
    start = torch.ones(1, 1, 1, dtype=torch.float64)

    def error(num_steps):  # dx/dt = x leads from 1 at t = 1 to 1/e at t = 0
        made = integrate(lambda values, time: values, start, even_grid(num_steps), method=method)
        return abs(made.item() - math.exp(-1))

    assert math.log2(error(32) / error(64)) == pytest.approx(order, abs=0.1)


def test_time_is_told_as_the_share_of_noise():
    told = []
    integrate(lambda values, time: told.append(time.tolist()) or 0 * values, torch.zeros(1, 2, 1), even_grid(4))
    assert told == [[[1.0]], [[0.75]], [[0.5]], [[0.25]]]


@pytest.mark.parametrize("method", ["euler", "midpoint", "heun"])
def test_given_tokens_stay_and_are_told_to_be_there_already(method):
    old, told = torch.full((1, 3, 1), 7.0), []
    given = Given(values=old, mask=torch.tensor([[True, False, False]]))

    def velocity(values, time):
        told.append((values[0, 0, 0].item(), time.tolist()[0]))
        return torch.ones_like(values)

    made = integrate(velocity, torch.zeros(1, 3, 1), even_grid(2), method=method, given=given)
    assert made.flatten().tolist() == [7.0, -1.0, -1.0]
    assert all(value == 7.0 and times[0] == 0.0 for value, times in told)
    assert told[0][1] == [0.0, 1.0, 1.0]


def test_euler_is_lerobots_loop():
    make = runpy.run_path(str(GOLDEN / "make_rtc.py"))
    with np.load(GOLDEN / "rtc.npz") as stored:
        wanted = stored[f"sampled.{len(make['GUIDED'])}"]
    noise = torch.from_numpy(make["drawn"]("noise", make["CHUNK"]))
    made = integrate(make["speed"], noise, even_grid(make["NUM_STEPS"]))
    np.testing.assert_allclose(made.numpy(), wanted, atol=1e-6)
