"""Optimizers that leave PyTorch's compiler alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from etude.train.config import Optimizer
from etude.train.muon import orthogonal
from etude.train.optim import optimizer

CODE = """
import sys
import torch
from etude.train.optim import KINDS
weight, kernel = torch.ones(2, requires_grad=True), torch.ones(2, 1, 1, 1, requires_grad=True)
made = KINDS[sys.argv[1]]([weight, kernel], fused=True)
(weight.sum() + kernel.sum()).backward()
made.step()
made.load_state_dict(made.state_dict())
made.zero_grad()
print("torch._dynamo" in sys.modules)
"""


class _Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, -2.0]))

    def parameter_groups(self):
        return [{"params": [self.weight]}]


@pytest.mark.parametrize(("kind", "own"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam)])
def test_it_steps_as_pytorchs_does(config, kind, own):
    line, other = _Line(), _Line()
    made = optimizer(line, replace(config, optimizer=Optimizer(type=kind)))
    policy = config.policy
    wanted = own([other.weight], lr=policy.optimizer_lr, weight_decay=policy.optimizer_weight_decay)
    assert isinstance(made, own)
    for _ in range(3):
        for each, stepping in ((line, made), (other, wanted)):
            stepping.zero_grad()
            each.weight.square().sum().backward()
            stepping.step()
    torch.testing.assert_close(line.weight, other.weight)
    assert made.state_dict()["state"].keys() == wanted.state_dict()["state"].keys()


@pytest.mark.parametrize("kind", ["adamw", "adam", "muon"])
def test_it_does_not_import_the_compiler(kind):
    done = subprocess.run([sys.executable, "-c", CODE, kind], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("shape", [(8, 27), (27, 8), (6, 6)])
def test_singular_values_become_about_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(1e3 * matrix))
    assert values.min() > 0.3
    assert values.max() < 1.3


def test_orthogonal_keeps_directions():
    """Of a diagonal matrix with values of similar size the nearest orthogonal one is the identity."""
    found = orthogonal(torch.diag(torch.tensor([2.0, 3.0])))
    torch.testing.assert_close(found, torch.eye(2), atol=0.35, rtol=0)


class _Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.kernel = nn.Parameter(torch.randn((4, 3, 2, 2), generator=generator))
        self.weight = nn.Parameter(torch.randn((3, 3), generator=generator))

    def parameter_groups(self):
        return [{"params": [self.kernel, self.weight]}]


def _muon(config, module):
    return optimizer(module, replace(config, optimizer=Optimizer(type="muon")))


def test_muon_turns_kernels_and_leaves_the_rest_to_adamw(config):
    line, other = _Mixed(), _Mixed()
    rate, decay = config.policy.optimizer_lr, config.policy.optimizer_weight_decay
    made, adamw = _muon(config, line), torch.optim.AdamW([other.weight], rate, weight_decay=decay)
    before = line.kernel.detach().clone()
    for module, stepping in ((line, made), (other, adamw)):
        (module.kernel.pow(3).sum() + module.weight.square().sum()).backward()
        stepping.step()
    torch.testing.assert_close(line.weight, other.weight)
    step = (before * (1 - rate * decay) - line.kernel).detach().flatten(1) / (rate * 0.2 * 12**0.5)
    torch.testing.assert_close(step, orthogonal((1.9 * 3 * before.square()).flatten(1)), atol=1e-3, rtol=0)


def test_muon_goes_on_from_its_state(config):
    straight, parts = _Mixed(), _Mixed()
    steps = [_muon(config, straight), _muon(config, parts)]

    def learn(module, made):
        made.zero_grad()
        (module.kernel.pow(4).sum() + module.weight.square().sum()).backward()
        made.step()

    for module, made in zip((straight, parts), steps, strict=True):
        learn(module, made)
    stored = steps[1].state_dict()
    steps[1] = _muon(config, parts)
    steps[1].load_state_dict(stored)
    for module, made in zip((straight, parts), steps, strict=True):
        learn(module, made)
    torch.testing.assert_close(parts.kernel, straight.kernel, rtol=0, atol=0)
    torch.testing.assert_close(parts.weight, straight.weight, rtol=0, atol=0)
