"""Optimizers that leave PyTorch's compiler alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from etude.train.config import Optimizer
from etude.train.optim import optimizer

CODE = """
import sys
import torch
from etude.train.optim import KINDS, _without_compiler
weight = torch.ones(2, requires_grad=True)
made = _without_compiler(KINDS["adamw"])([weight], fused=True)
weight.sum().backward()
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


def test_it_does_not_import_the_compiler():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
