from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

optuna = pytest.importorskip("optuna")

from etude.core.errors import ConfigError, EtudeError  # noqa: E402
from etude.train.tuning.search import Search, search  # noqa: E402
from etude.train.tuning.space import read, words  # noqa: E402


class Played:
    """A trial whose scores are a function of its values; each look takes it one update further."""

    def __init__(self, value, code, length):
        self.value, self.code, self.length, self.step, self.is_stopped = value, code, length, 0, False

    def scores(self):
        return {step: self.value + 1 / step for step in range(1, self.step + 1)}

    def exit_code(self):
        self.step = min(self.step + 1, self.length)
        return self.code if self.step == self.length else None

    def last_words(self):
        return "error: Memory ran out."

    def stop(self):
        self.is_stopped = True


class Stage:
    def __init__(self, code=0, dies_at=None, longest=None):
        self.trials, self.code, self.dies_at, self.longest = [], code, dies_at, longest

    def start(self, words, folder, metric):
        if len(self.trials) == self.dies_at:
            raise KeyboardInterrupt
        options = dict(word.removeprefix("--").split("=") for word in words if "=" in word)
        assert Path(options["output_dir"]) == folder
        value = abs(float(options["policy.optimizer_lr"]) - 0.5)
        self.trials.append(Played(value, self.code, 4 + 4 * (len(self.trials) == self.longest)))
        return self.trials[-1]

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr("etude.train.tuning.search._POLL_S", 0.0)


def _options(folder, **changes):
    space = {"policy.optimizer_lr": read("policy.optimizer_lr", "uniform:0:1")}
    return Search(folder=folder, space=space, command=("train", "--steps=4"), **{"num_trials": 8} | changes)


def test_the_least_loss_is_found_and_laggards_are_ended_early(tmp_path):
    stage, told = Stage(), []
    best = search(_options(tmp_path, num_workers=3), stage, told.append)
    assert len(stage.trials) == best.num_trials == 8
    assert best.value == min(trial.value for trial in stage.trials) + 0.25
    assert best.words[0].startswith("--policy.optimizer_lr=0.")
    pruned = [line for line in told if "ended early" in line]
    assert pruned
    assert sum(trial.step < 4 for trial in stage.trials) == len(pruned)
    assert all(trial.is_stopped for trial in stage.trials)


def test_no_pruning_lets_all_of_them_end(tmp_path):
    stage = Stage()
    search(_options(tmp_path, num_trials=4, prunes=False), stage, print)
    assert all(trial.step == 4 for trial in stage.trials)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "success_rate"}, "was not for the best success_rate"),
        ({"space": {"policy.optimizer_lr": read("policy.optimizer_lr", "choice:0.1,0.2")}}, "among other values"),
    ],
)
def test_a_search_does_not_go_on_as_another(tmp_path, changes, message):
    search(_options(tmp_path, num_trials=1), Stage(), print)
    with pytest.raises(ConfigError, match=message):
        search(replace(_options(tmp_path, num_trials=2), **changes), Stage(), print)
    wider = {"policy.optimizer_lr": read("policy.optimizer_lr", "uniform:0:2")}
    assert search(replace(_options(tmp_path, num_trials=2), space=wider), Stage(), print).num_trials == 2


def test_a_search_that_was_killed_goes_on_and_makes_again_what_was_unfinished(tmp_path):
    stage = Stage(dies_at=3, longest=2)
    with pytest.raises(KeyboardInterrupt):
        search(_options(tmp_path, num_trials=5, num_workers=2, prunes=False), stage, print)
    assert all(trial.is_stopped for trial in stage.trials)
    again = Stage()
    best = search(_options(tmp_path, num_trials=5, num_workers=2, prunes=False), again, print)
    assert best.num_trials == 5
    unfinished = {trial.value for trial in stage.trials if trial.step < trial.length}
    assert unfinished
    assert unfinished <= {trial.value for trial in again.trials}
    assert len(stage.trials) - len(unfinished) + len(again.trials) == 5


def test_trials_that_all_fail_are_told(tmp_path):
    told = []
    with pytest.raises(EtudeError, match=r"No trial came to an end.*log\.txt"):
        search(_options(tmp_path, num_trials=2), Stage(code=1), told.append)
    assert all("failed. error: Memory ran out." in line for line in told)
    with pytest.raises(EtudeError, match="could not begin"):
        search(_options(tmp_path / "other", num_trials=2), Stage(code=2), told.append)


def test_spaces_are_read_as_typed():
    assert read("x", "log:1e-5:1e-3").distribution() == optuna.distributions.FloatDistribution(1e-5, 1e-3, log=True)
    assert read("x", "uniform:0:0.5").distribution() == optuna.distributions.FloatDistribution(0, 0.5)
    assert read("x", "int:1:8").distribution() == optuna.distributions.IntDistribution(1, 8)
    assert read("x", "choice:8,16").distribution() == optuna.distributions.CategoricalDistribution(("8", "16"))
    assert [read("x", text).example for text in ("int:1:8", "choice:a,b", "log:1e-5:1")] == ["1", "a", "1e-05"]
    assert words({"a.b": 1e-05, "c": "8", "d": 3}) == ["--a.b=1e-05", "--c=8", "--d=3"]


@pytest.mark.parametrize(
    "text", ["", "log", "log:0:1", "uniform:1:0", "int:1.5:2", "choice:", "choice:a,,b", "normal:0:1", "uniform:0:inf"]
)
def test_spaces_that_make_no_sense_are_refused(text):
    with pytest.raises(ConfigError, match=r"--space\.lr should be log:LOW:HIGH"):
        read("lr", text)


def test_nothing_to_search_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="nothing to search"):
        Search(folder=tmp_path, space={}, command=())
    with pytest.raises(ConfigError, match="at least 1"):
        _options(tmp_path, num_workers=0)
