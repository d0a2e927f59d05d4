"""Runs that are as long as a clock says, by one on which every update takes a second."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.events import read_events
from etude.train.budget import Budget
from etude.train.config import Scheduler
from etude.train.loop import train
from etude.train.optim import rate_factor


@pytest.fixture
def clock():
    return itertools.count().__next__


@pytest.fixture
def timed(config):
    """Six seconds."""
    return replace(config, steps=None, minutes=0.1, save_freq=4)


def _events(config, kind):
    return [event for event in read_events(config.output_dir / "events.jsonl") if event["kind"] == kind]


def test_what_is_used_up_first_counts():
    both = Budget(steps=10, minutes=2)
    assert both.used(0, 0.0) == 0
    assert both.used(5, 30.0) == 0.5
    assert both.used(2, 90.0) == 0.75
    assert both.left_s(5, 30.0, step_s=4.0) == 20
    assert both.left_s(5, 110.0, step_s=4.0) == 10
    assert Budget(minutes=2).left_s(5, 30.0, step_s=4.0) == 90
    assert Budget(steps=0).used(0, 0.0) == 1
    assert str(both) == "2 minutes or 10 updates"


@pytest.mark.parametrize("given", [{}, {"steps": -1}, {"minutes": 0.0}, {"minutes": float("nan")}])
def test_budgets_that_make_no_sense_are_refused(given):
    with pytest.raises(ConfigError, match=r"steps|minutes"):
        Budget(**given)


@pytest.mark.parametrize("given", [{"num_delay_steps": 5}, {"type": "cosine_decay_with_warmup", "num_decay_steps": 5}])
def test_a_schedule_that_counts_updates_does_not_go_with_a_clock(timed, given):
    with pytest.raises(ConfigError, match="learning rates fall as time goes by"):
        replace(timed, scheduler=Scheduler(**given))


@pytest.mark.parametrize(
    ("kind", "at_half"), [("cosine", 0.5), ("linear", 0.5), ("constant", 1.0), ("cosine_decay_with_warmup", 0.55)]
)
def test_rates_rise_by_updates_and_fall_with_time(timed, kind, at_half):
    floor = 0.1 * timed.policy.optimizer_lr if kind == "cosine_decay_with_warmup" else 0.0
    config = replace(timed, scheduler=Scheduler(type=kind, num_warmup_steps=4, decay_lr=floor))
    assert rate_factor(0, config, 0.0) == 0.25
    assert rate_factor(1, config, 3.0) == pytest.approx(0.5 * at_half)
    assert rate_factor(50, config, 3.0) == pytest.approx(at_half)
    ends = [rate_factor(50, config, spent_s) for spent_s in (6.0, 9.0)]
    assert ends[0] == ends[1] == pytest.approx({"constant": 1.0, "cosine_decay_with_warmup": 0.1}.get(kind, 0.0))


def test_a_run_ends_with_its_time_and_leaves_its_last_checkpoint(timed, clock):
    folder = train(timed, clock=clock)
    assert folder.name == "000006"
    assert [event["spent_s"] for event in _events(timed, "step")] == [1, 2, 3, 4, 5, 6]
    assert [(event["step"], event["spent_s"]) for event in _events(timed, "saved")] == [(4, 4), (6, 6)]
    rates = [event["lr"] / timed.policy.optimizer_lr for event in _events(timed, "step")]
    falls = 0.5 * (1 + np.cos(np.pi * np.arange(6) / 6))
    np.testing.assert_allclose(rates, falls * [0.5, 1, 1, 1, 1, 1], rtol=1e-6)
    assert _events(timed, "stopped") == []


def test_the_first_of_steps_and_minutes_ends_it(timed, clock, tmp_path):
    assert train(replace(timed, steps=3), clock=clock).name == "000003"
    assert train(replace(timed, steps=9, output_dir=tmp_path / "other"), clock=clock).name == "000006"


def test_a_stopped_run_goes_on_with_the_time_that_is_left(timed, clock, tmp_path, state_of, stop_at):
    straight = state_of(train(timed, clock=clock))
    parts, told = replace(timed, output_dir=tmp_path / "parts"), []
    assert train(parts, clock=clock, watchers=[stop_at(3)], say=told.append).name == "000003"
    assert told[-1] == "Stopped after 3 updates; --resume goes on."
    resumed = state_of(train(parts, clock=clock, resume=True))
    assert [name for name in straight if not torch.equal(straight[name], resumed[name])] == []
    assert [event["spent_s"] for event in _events(parts, "step")] == [1, 2, 3, 4, 5, 6]
    train(parts, clock=clock, resume=True, say=told.append)
    assert told[-1] == "This run has used its 0.1 minutes; a larger --minutes goes on."
    assert train(replace(parts, minutes=8 / 60), clock=clock, resume=True).name == "000008"


def test_the_clock_of_the_wall_ends_a_run(config):
    timed = replace(config, steps=None, minutes=0.002, holdout_episodes=0)
    train(timed)
    saved = _events(timed, "saved")[-1]
    assert saved["spent_s"] >= 0.12
    assert saved["step"] == _events(timed, "step")[-1]["step"]
