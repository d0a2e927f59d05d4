"""Dropout by the distances between what is dropped."""

from __future__ import annotations

import pytest
import torch

from etude.nn.dropout import Dropout, dropout, dropped


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
def test_each_place_is_dropped_with_the_same_probability(p):
    torch.manual_seed(0)
    count, draws = 200, 3000
    hits = torch.zeros(count)
    for _ in range(draws):
        hits[dropped(count, p)] += 1
    deviation = (p * (1 - p) / draws) ** 0.5
    assert ((hits / draws - p).abs() < 5 * deviation).all()


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    count, p = 400_000, 0.1
    is_dropped = torch.zeros(count)
    is_dropped[dropped(count, p)] = 1
    for distance in (1, 2, 7):
        both = (is_dropped[distance:] * is_dropped[:-distance]).mean()
        assert abs(both - p * p) < 5 * (p * p / count) ** 0.5


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_values_are_no_special_case(count):
    torch.manual_seed(0)
    found = [len(dropped(count, 0.5)) for _ in range(2000)]
    assert abs(sum(found) / len(found) - count / 2) < 0.1
    assert max(found) <= count


def test_what_is_kept_is_scaled_and_so_is_its_gradient():
    torch.manual_seed(0)
    x = torch.randn(50, 40).t().requires_grad_()
    y = dropout(x, 0.25, True)
    scale = (y / x).detach()
    torch.testing.assert_close(scale, torch.where(scale > 0, 4 / 3, 0.0))
    y.sum().backward()
    torch.testing.assert_close(x.grad * x.detach(), y.detach())


def test_it_does_nothing_when_acting():
    x = torch.randn(5)
    module = Dropout(0.5)
    assert module.eval()(x) is x
    assert not torch.equal(module.train()(x), x)


def test_the_same_seed_drops_the_same():
    x = torch.ones(1000)
    torch.manual_seed(3)
    first = dropout(x, 0.3, True)
    torch.manual_seed(3)
    assert torch.equal(dropout(x, 0.3, True), first)
