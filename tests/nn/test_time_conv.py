"""Convolutions along time against PyTorch's own, while learning and while acting."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from etude.nn import time_conv
from etude.nn.time_conv import TimeConv, TimeDoubling


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def pairs():
    return [
        (TimeConv(5, 7, 5, padding=2), nn.Conv1d(5, 7, 5, padding=2)),
        (TimeConv(5, 7, 3, padding=1), nn.Conv1d(5, 7, 3, padding=1)),
        (TimeConv(5, 7, 1), nn.Conv1d(5, 7, 1)),
        (TimeConv(5, 5, 3, stride=2, padding=1), nn.Conv1d(5, 5, 3, 2, 1)),
        (TimeDoubling(5), nn.ConvTranspose1d(5, 5, 4, 2, 1)),
    ]


@pytest.mark.parametrize("number", range(5))
class TestSameAsTorch:
    @pytest.mark.parametrize("length", [4, 8])
    def test_values_and_gradients(self, number, length):
        ours, torchs = pairs()[number]
        torchs.load_state_dict(ours.state_dict())
        given = torch.randn(3, 5, length)
        results = []
        for module in (ours, torchs):
            x = given.clone().requires_grad_()
            y = module(x)
            y.square().sum().backward()
            results.append([y.detach(), x.grad, module.weight.grad, module.bias.grad])
        for mine, wanted in zip(*results, strict=True):
            torch.testing.assert_close(mine, wanted, atol=1e-5, rtol=1e-5)

    def test_while_acting(self, number, monkeypatch):
        monkeypatch.setattr(time_conv, "LEAST_WEIGHTS", 1)
        ours, torchs = pairs()[number]
        torchs.load_state_dict(ours.state_dict())
        x = torch.randn(1, 5, 8)
        with torch.inference_mode():
            torch.testing.assert_close(ours.eval()(x), torchs(x), atol=1e-5, rtol=1e-5)
        assert ours._packed is not None

    def test_while_acting_in_half_precision(self, number, monkeypatch):
        monkeypatch.setattr(time_conv, "LEAST_WEIGHTS", 1)
        ours, _ = pairs()[number]
        x = torch.randn(1, 5, 8)
        exact = ours(x).detach()
        time_conv.halve(nn.Sequential(ours))
        with torch.inference_mode():
            torch.testing.assert_close(ours.eval()(x), exact, atol=2e-3, rtol=2e-3)


@pytest.fixture
def acting(monkeypatch):
    """A layer with a second copy of its weights."""
    monkeypatch.setattr(time_conv, "LEAST_WEIGHTS", 1)
    layer, x = TimeConv(4, 4, 3, padding=1).eval(), torch.randn(1, 4, 8)
    with torch.no_grad():
        layer(x)
    return layer, x


def test_changed_weights_are_seen(acting):
    layer, x = acting
    with torch.no_grad():
        layer.weight.mul_(2)
        wanted = nn.functional.conv1d(x, layer.weight, layer.bias, padding=1)
        torch.testing.assert_close(layer(x), wanted, atol=1e-5, rtol=1e-5)


def test_training_forgets_the_second_copy(acting):
    layer, _ = acting
    assert layer.train()._packed is None


@pytest.mark.parametrize("is_half", [False, True])
def test_copies_leave_the_second_copy_behind(acting, is_half):
    layer, x = acting
    layer.is_half, layer._packed = is_half, None
    with torch.no_grad():
        wanted = layer(x)
        other = copy.deepcopy(layer)
        assert (layer._packed is None, other._packed is None) == (False, True)
        torch.testing.assert_close(other(x), wanted)
        other.weight.mul_(2)
        torch.testing.assert_close(layer(x), wanted)
    assert "_packed" not in layer.state_dict()
