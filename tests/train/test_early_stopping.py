from __future__ import annotations

import json
from dataclasses import replace

import pytest

from etude.core.errors import ConfigError
from etude.core.events import read_events
from etude.train.early_stopping import EarlyStopping
from etude.train.loop import train
from etude.train.patience import Patience
from etude.train.watchers import Watcher


class Succeeds(Watcher):
    """Reports what it was told to at each checkpoint."""

    def __init__(self, rates):
        self.rates = rates

    def begin(self, run):
        self.run = run

    def saved(self, step, folder):
        self.run.report("evaluation", success_rate=self.rates[step])


SUCCESS = Patience(patience=2, metric="success_rate")


@pytest.mark.parametrize(
    ("scores", "min_delta", "expected"),
    [
        ({}, 0.0, (-1, 0)),
        ({1: 0.5}, 0.0, (1, 0)),
        ({1: 0.5, 2: 0.4, 3: 0.45, 4: 0.41}, 0.0, (2, 2)),
        ({1: 0.5, 2: 0.4, 3: 0.4}, 0.0, (2, 1)),
        ({1: 0.5, 2: 0.45, 3: 0.38}, 0.1, (3, 0)),
        ({3: 0.3, 1: 0.5, 2: 0.2}, 0.0, (2, 1)),
    ],
)
def test_waiting_is_counted_from_the_best_score(scores, min_delta, expected):
    assert Patience(patience=9, min_delta=min_delta).waited(scores) == expected


def test_success_counts_upwards():
    assert SUCCESS.waited({1: 0.1, 2: 0.3, 3: 0.2}) == (2, 1)


def test_a_run_ends_on_the_checkpoint_that_decided_so_and_says_why(config):
    rates = {1: 0.2, 2: 0.5, 3: 0.5, 4: 0.4, 5: 0.9}
    told = []
    last = train(replace(config, save_freq=1), watchers=[Succeeds(rates), EarlyStopping(SUCCESS, told.append)])
    reason = "the success rate was best at update 2 (0.5) and 2 scores since were not better"
    assert last.name == "000004"
    assert told == [f"Stopped early at update 4: {reason}."]
    (stopped,) = [event for event in read_events(config.output_dir / "events.jsonl") if event["kind"] == "stopped"]
    assert (stopped["step"], stopped["reason"]) == (4, reason)
    with pytest.raises(ConfigError, match=r"has ended early.*raise --early_stopping.patience"):
        train(replace(config, save_freq=1), resume=True, watchers=[EarlyStopping(SUCCESS, print)])


def test_a_resumed_run_goes_on_counting(config):
    rates = {1: 0.5, 2: 0.4, 3: 0.4, 4: 0.4, 5: 0.4, 6: 0.4}
    train(replace(config, save_freq=1, steps=2), watchers=[Succeeds(rates), EarlyStopping(SUCCESS, print)])
    # A score of an update that was lost when the run was killed does not count.
    path = config.output_dir / "checkpoints" / "scores.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"000003": {"success_rate": 0.9}}))
    watchers = [Succeeds(rates), EarlyStopping(SUCCESS, print)]
    scheduled = replace(config, save_freq=1)
    assert train(scheduled, resume=True, watchers=watchers).name == "000003"


def test_validation_loss_ends_a_run_that_gains_too_little(config):
    stops = EarlyStopping(Patience(patience=1, min_delta=100.0), print)
    assert train(replace(config, save_freq=1), watchers=[stops]).name == "000002"


def test_patience_without_scores_is_refused(config):
    with pytest.raises(ConfigError, match="holdout_episodes"):
        train(replace(config, holdout_episodes=0), watchers=[EarlyStopping(Patience(patience=1), print)])
    with pytest.raises(ConfigError, match="at least 0"):
        Patience(patience=-1)
