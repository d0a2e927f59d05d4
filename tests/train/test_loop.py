from __future__ import annotations

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError, EtudeError
from etude.core.events import read_events
from etude.policies import checkpoint
from etude.policies.weights import read_weights
from etude.train.config import Scheduler
from etude.train.loop import train
from etude.train.watchers import Watcher


def _events(config, kind):
    return [event for event in read_events(config.output_dir / "events.jsonl") if event["kind"] == kind]


def _weights(folder):
    return read_weights(folder / "training_state" / "state.safetensors")


class StopAt(Watcher):
    def __init__(self, wanted):
        self.wanted = wanted

    def step(self, step, values):
        if step == self.wanted:
            signal.raise_signal(signal.SIGINT)


class Heard(Watcher):
    def __init__(self):
        self.steps = []

    def step(self, step, values):
        self.steps.append(step)


def test_a_run_leaves_checkpoints_and_events(config):
    heard = Heard()
    folder = train(config, watchers=[heard])
    run = config.output_dir
    assert folder == (run / "checkpoints" / "000006").resolve()
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["000003", "000006", "last"]
    assert str((run / "checkpoints" / "last").readlink()) == "000006"
    assert heard.steps == [1, 2, 3, 4, 5, 6]
    assert [event["step"] for event in _events(config, "step")] == [1, 2, 3, 4, 5, 6]
    assert {"loss", "l1", "kl", "grad_norm", "lr", "samples_per_s"} <= _events(config, "step")[0].keys()
    assert [event["step"] for event in _events(config, "validation")] == [3, 6]


def test_the_checkpoint_acts_and_verifies(config, dataset):
    train(config)
    last = config.output_dir / "checkpoints" / "last"
    assert checkpoint.verify(last) == 0.0
    loaded = checkpoint.load(last)
    frame = {
        "observation.state": dataset.column("observation.state")[0],
        "observation.images.front": dataset.images("observation.images.front", np.array([0]))[0],
    }
    assert loaded.act(frame).shape == (4, 3)
    assert loaded.origin.fps == 30
    assert loaded.origin.step == 6
    assert loaded.origin.tasks == ("Wave",)


def test_loss_falls(config):
    train(replace(config, steps=60, save_freq=100, batch_size=16))
    losses = [event["loss"] for event in _events(config, "step")]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_the_same_seed_gives_the_same_weights_and_another_does_not(config, tmp_path):
    first, again, other = (
        _weights(train(replace(config, steps=2, seed=seed, output_dir=tmp_path / name)))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["policy.action_head.weight"], other["policy.action_head.weight"])


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_stopping_and_resuming_gives_the_same_bits(config, tmp_path, dropout):
    config = replace(config, policy=replace(config.policy, dropout=dropout))
    straight = _weights(train(config))
    parts = replace(config, output_dir=tmp_path / "parts")
    stopped = train(parts, watchers=[StopAt(4)])
    assert stopped.name == "000004"
    resumed = _weights(train(parts, resume=True))
    assert straight.keys() == resumed.keys()
    assert [name for name in straight if not torch.equal(straight[name], resumed[name])] == []


def test_ctrl_c_saves_and_is_told(config):
    before = signal.getsignal(signal.SIGINT)
    folder = train(config, watchers=[StopAt(2)])
    assert folder.name == "000002"
    assert _events(config, "stopped")[0]["step"] == 2
    assert checkpoint.load(folder).origin.step == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_no_steps_save_the_untrained_policy(config):
    folder = train(replace(config, steps=0))
    assert folder.name == "000000"
    assert checkpoint.load(folder).origin.step == 0


def test_resuming_with_other_values_is_refused(config):
    train(replace(config, steps=2))
    with pytest.raises(ConfigError, match=r"other values of policy"):
        train(replace(config, policy=replace(config.policy, kl_weight=1.0)), resume=True)


def test_an_earlier_run_is_not_written_over(config):
    train(replace(config, steps=1))
    with pytest.raises(ConfigError, match="already holds a training run"):
        train(config)


def test_resuming_nothing_is_refused(config):
    with pytest.raises(ConfigError, match="nothing to resume"):
        train(config, resume=True)


def test_resuming_a_finished_run_with_more_steps_goes_on(config):
    train(replace(config, steps=2))
    assert train(replace(config, steps=4), resume=True).name == "000004"
    assert [event["step"] for event in _events(config, "step")] == [1, 2, 3, 4]


def test_a_loss_that_is_no_number_ends_the_run(config):
    reckless = replace(config, policy=replace(config.policy, optimizer_lr=1e30, optimizer_lr_backbone=1e30))
    with pytest.raises(EtudeError, match="optimizer_lr"):
        train(replace(reckless, steps=50, scheduler=Scheduler(num_warmup_steps=0)))


def test_holding_out_everything_is_refused(config):
    with pytest.raises(ConfigError, match="leaves nothing to learn from"):
        train(replace(config, holdout_episodes=4))


def test_the_state_holds_the_config_as_json(config):
    folder = train(replace(config, steps=1))
    stored = json.loads((folder / "training_state" / "state.json").read_text())
    assert stored["config"]["policy"]["type"] == "act"
    assert stored["config"]["batch_size"] == 8
