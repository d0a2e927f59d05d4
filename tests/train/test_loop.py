from __future__ import annotations

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError, EtudeError
from etude.core.events import read_events
from etude.policies import checkpoint, policies
from etude.train.checkpoints import Checkpoints
from etude.train.config import Average, Scheduler
from etude.train.loop import train
from etude.train.watchers import Watcher


def _events(config, kind):
    return [event for event in read_events(config.output_dir / "events.jsonl") if event["kind"] == kind]


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
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == [
        "000003",
        "000006",
        "best",
        "last",
        "scores.json",
    ]
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


def test_the_same_seed_gives_the_same_weights_and_another_does_not(config, tmp_path, state_of):
    first, again, other = (
        state_of(train(replace(config, steps=2, seed=seed, output_dir=tmp_path / name)))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["policy.action_head.weight"], other["policy.action_head.weight"])


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_stopping_and_resuming_gives_the_same_bits(config, tmp_path, dropout, state_of, stop_at):
    config = replace(config, policy=replace(config.policy, dropout=dropout))
    straight = state_of(train(config))
    parts = replace(config, output_dir=tmp_path / "parts")
    stopped = train(parts, watchers=[stop_at(4)])
    assert stopped.name == "000004"
    resumed = state_of(train(parts, resume=True))
    assert straight.keys() == resumed.keys()
    assert [name for name in straight if not torch.equal(straight[name], resumed[name])] == []


def test_ctrl_c_saves_and_is_told(config, stop_at):
    before = signal.getsignal(signal.SIGINT)
    folder = train(config, watchers=[stop_at(2)])
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


def test_a_run_is_made_by_one_process_at_a_time(config):
    with Checkpoints(config.output_dir, 0).alone(), pytest.raises(ConfigError, match="Another process trains in"):
        train(config)
    train(config)


def test_who_was_stopped_and_who_has_nothing_left_to_do_is_told(config, stop_at):
    told = []
    train(config, watchers=[stop_at(2)], say=told.append)
    assert told[-1] == f"Stopped after 2 of {config.steps} updates; --resume goes on."
    train(config, resume=True)
    train(config, resume=True, say=told.append)
    assert told[-1] == f"This run has made its {config.steps} updates; a larger --steps goes on."


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


class Reports(Watcher):
    """Says how often each checkpoint succeeded."""

    def __init__(self, rates):
        self.rates, self.heard, self.ended = dict(rates), [], False

    def begin(self, run):
        self.run = run

    def scored(self, kind, step, values):
        self.heard.append((kind, step))

    def saved(self, step, folder):
        assert checkpoint.verify(folder) == 0.0
        if step in self.rates:
            self.run.report("evaluation", success_rate=self.rates[step])

    def end(self):
        self.ended = True


class Stops(Watcher):
    def begin(self, run):
        self.run = run

    def step(self, step, values):
        if step == 2:
            self.run.stop("it is good enough")


def _kept(config):
    return sorted(path.name for path in (config.output_dir / "checkpoints").iterdir() if path.name.isdigit())


def test_the_best_checkpoint_and_the_newest_ones_are_kept(config):
    watcher = Reports({2: 0.5, 4: 0.75, 6: 0.25})
    train(replace(config, steps=10, save_freq=2, keep_checkpoints=2), watchers=[watcher])
    assert _kept(config) == ["000004", "000008", "000010"]
    assert str((config.output_dir / "checkpoints" / "best").readlink()) == "000004"
    assert ("evaluation", 4) in watcher.heard
    assert ("validation", 4) in watcher.heard
    assert watcher.ended


def test_without_evaluations_the_least_validation_loss_is_best(config):
    train(replace(config, save_freq=2))
    losses = {event["step"]: event["validation_loss"] for event in _events(config, "validation")}
    best = (config.output_dir / "checkpoints" / "best").resolve().name
    assert int(best) == min(losses, key=lambda step: losses[step])


def test_all_checkpoints_are_kept_unless_told_otherwise(config):
    train(replace(config, save_freq=2, holdout_episodes=0))
    assert _kept(config) == ["000002", "000004", "000006"]
    assert not (config.output_dir / "checkpoints" / "best").exists()


def test_a_watcher_may_end_the_run(config):
    folder = train(config, watchers=[Stops()])
    assert folder.name == "000002"
    assert _events(config, "stopped")[0]["reason"] == "it is good enough"


def test_watchers_change_nothing_that_is_learned(config, tmp_path, state_of):
    class Draws(Watcher):
        def begin(self, run):
            self.run = run

        def step(self, step, values):
            torch.rand(step)
            with self.run.acting() as loaded:
                assert loaded.origin.step == step

    alone = state_of(train(config))
    watched = state_of(train(replace(config, output_dir=tmp_path / "watched"), watchers=[Draws()]))
    assert [name for name in alone if not torch.equal(alone[name], watched[name])] == []


def test_accumulated_batches_resume_to_the_same_bits_with_other_batches(config, tmp_path, state_of, stop_at):
    config = replace(config, batch_size=4, grad_accum_steps=2, save_freq=2, ema=Average(law="power", decay=0.9999))
    straight = state_of(train(config))
    parts = replace(config, output_dir=tmp_path / "parts")
    train(parts, watchers=[stop_at(3)])
    with pytest.raises(ConfigError, match=r"learned from 8 samples per update; batch_size \(4\)"):
        train(replace(parts, grad_accum_steps=1), resume=True)
    resumed = state_of(train(parts, resume=True))
    assert [name for name in straight if not torch.equal(straight[name], resumed[name])] == []
    assert train(replace(parts, batch_size=8, grad_accum_steps=1, steps=7), resume=True).name == "000007"


@pytest.mark.parametrize("name", policies.names())
def test_every_policy_resumes_to_the_same_bits(config, tmp_path, name, state_of, stop_at):
    config = replace(config, policy=policies.config(name).tiny(), steps=8, save_freq=4, holdout_episodes=0)
    straight = state_of(train(config))
    parts = replace(config, output_dir=tmp_path / "parts")
    train(parts, watchers=[stop_at(5)])
    resumed = state_of(train(parts, resume=True))
    assert straight.keys() == resumed.keys()
    assert [key for key in straight if not torch.equal(straight[key], resumed[key])] == []


def test_a_run_of_the_first_etude_resumes(config):
    folder = train(replace(config, steps=2, holdout_episodes=0)) / "training_state" / "state.json"
    stored = json.loads(folder.read_text())
    now = stored["config"]
    then = {name: now[name] for name in now if name not in ("optimizer", "scheduler", "ema", "datasets", "compile")}
    then |= {"dataset": "memory", "schedule": "cosine", "warmup_steps": 2, "grad_clip_norm": 1.0, "ema_decay": 0.999}
    folder.write_text(json.dumps({name: stored[name] for name in ("step", "bf16", "ema_updates")} | {"config": then}))
    assert train(replace(config, steps=3, holdout_episodes=0), resume=True).name == "000003"


def test_a_run_with_fields_that_are_gone_is_refused_in_a_sentence(config):
    folder = train(replace(config, steps=1)) / "training_state" / "state.json"
    stored = json.loads(folder.read_text())
    stored["config"]["momentum"] = 0.9
    folder.write_text(json.dumps(stored))
    with pytest.raises(ConfigError, match="has no key 'momentum'"):
        train(config, resume=True)
