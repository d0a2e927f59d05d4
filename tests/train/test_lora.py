from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("peft")

from etude.core.errors import ConfigError, MissingExtra
from etude.policies import checkpoint, policies
from etude.policies.weights import read_weights
from etude.train.config import Average, Lora
from etude.train.loop import train
from etude.train.lora import adapt
from etude.train.watchers import Watcher

FAST = {"optimizer_lr": 1e-2}


class Compares(Watcher):
    """Asks the policy in training and the checkpoint that was just saved the same thing."""

    def __init__(self):
        self.differences = []

    def begin(self, run):
        self.run = run

    def saved(self, step, folder):
        with self.run.acting() as loaded:
            rng = np.random.default_rng(0)
            frame = {key: spec.example() for key, spec in loaded.observation.items()} | loaded.example_noise(rng)
            chunks = [one.act(frame) for one in (loaded, checkpoint.load(folder))]
        self.differences.append(float(np.abs(chunks[0] - chunks[1]).max()))


def _state(folder):
    return read_weights(folder / "training_state" / "state.safetensors")


class StopsAt(Watcher):
    def __init__(self, wanted):
        self.wanted = wanted

    def begin(self, run):
        self.run = run

    def step(self, step, values):
        if step == self.wanted:
            self.run.stop("enough")


@pytest.mark.parametrize("kind", policies.names())
def test_adapters_learn_alone_and_the_checkpoint_acts_the_same_without_them(config, kind):
    policy = replace(policies.config(kind).tiny(), **FAST)
    if hasattr(policy, "n_vqvae_training_steps"):
        policy = replace(policy, n_vqvae_training_steps=2)
    compares = Compares()
    config = replace(config, policy=policy, lora=Lora(rank=2), save_freq=1, steps=5, ema=Average(decay=0.0))
    last = train(config, watchers=[compares])
    first = _state(last.parent / "000001")
    now = _state(last)
    learned = {name for name in now if name.startswith("policy.") and not torch.equal(first[name], now[name])}
    parameters = {name for name in learned if "codebook" not in name and "running" not in name and "num_" not in name}
    assert any("lora_B" in name for name in parameters)
    assert [name for name in parameters if "lora" not in name and "vqvae" not in name] == []
    assert max(compares.differences) < 1e-3

    stored = read_weights(last / "pretrained_model" / "model.safetensors")
    assert not [name for name in stored if "lora" in name or "base_layer" in name]
    adapter = read_weights(last / "adapter" / "adapter_model.safetensors")
    assert adapter
    assert all("lora_" in name for name in adapter)
    assert json.loads((last / "adapter" / "adapter_config.json").read_text())["r"] == 2
    assert checkpoint.verify(last) < 1e-5


def test_resuming_gives_the_same_bits(config, tmp_path):
    config = replace(config, lora=Lora(rank=2, dropout=0.1))
    straight = _state(train(config))
    parts = replace(config, output_dir=tmp_path / "parts")
    train(parts, watchers=[StopsAt(4)])
    resumed = _state(train(parts, resume=True))
    assert any("lora_A" in name for name in straight)
    assert straight.keys() == resumed.keys()
    assert [name for name in straight if not torch.equal(straight[name], resumed[name])] == []


def test_an_adapted_weight_is_seen_by_who_reads_it_instead_of_calling_the_layer():
    class Reads(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 2, bias=False)

        def forward(self, x):
            return torch.nn.functional.linear(x, self.layer.weight)

    torch.manual_seed(0)
    policy, x = Reads(), torch.ones(1, 3)
    before = policy(x)
    adapt(policy, Lora(rank=1, alpha=2.0))
    torch.testing.assert_close(policy(x), before)
    policy.layer.lora_B["default"].weight.data.fill_(1.0)
    wanted = before + 2 * policy.layer.lora_A["default"].weight.sum()
    torch.testing.assert_close(policy(x), wanted)
    torch.testing.assert_close(policy.layer(x), wanted)
    policy(x).sum().backward()
    assert policy.layer.lora_A["default"].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        ("q_proj", "is the whole name of no layer. There is"),
        ("(", "is no regular expression"),
        (".*norm.*", "cannot have adapters"),
    ],
)
def test_targets_that_cannot_be_adapted_are_named(config, targets, sentence):
    with pytest.raises(ConfigError, match=sentence):
        train(replace(config, lora=Lora(rank=2, targets=targets)))


def test_only_the_targets_get_adapters(config):
    last = train(replace(config, steps=1, lora=Lora(rank=2, targets=r"action_head|backbone\.stem\.0\.0")))
    names = read_weights(last / "adapter" / "adapter_model.safetensors")
    assert {name.partition(".lora")[0] for name in names} == {"action_head", "backbone.stem.0.0"}


def test_a_missing_package_is_named(config, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtra, match=r"etude\[lora\]"):
        train(replace(config, lora=Lora(rank=2)))
    with pytest.raises(ConfigError, match=r"lora\.rank"):
        Lora(rank=-1)


def test_a_trained_policy_is_adapted_and_acts_without_peft(config, tmp_path, monkeypatch):
    base = train(replace(config, steps=2, output_dir=tmp_path / "base")) / "pretrained_model"
    adapted = replace(config, policy_path=base, lora=Lora(rank=2, targets=".*linear1"), ema=Average(decay=0.0))
    last = train(adapted)
    before, after = (read_weights(folder / "model.safetensors") for folder in (base, last / "pretrained_model"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("linear1.weight" in name or "running" in name or "num_batches" in name for name in changed)
    step = torch.linalg.matrix_rank(
        next(after[name] - before[name] for name in changed if "linear1" in name), rtol=1e-4
    )
    assert step == 2, "what was learned is of low rank"
    monkeypatch.setitem(sys.modules, "peft", None)
    loaded = checkpoint.load(last)
    assert loaded.act({key: spec.example() for key, spec in loaded.observation.items()}).shape == (4, 3)
