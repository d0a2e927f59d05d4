"""What a user can get wrong, and what memory and data can, in a sentence each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import DatasetError, EtudeError, UserError
from etude.core.events import read_events
from etude.train.loop import train
from etude.train.watchers import Watcher


def _events(config, kind):
    return [event for event in read_events(config.output_dir / "events.jsonl") if event["kind"] == kind]


class TestBadInput:
    def test_what_is_no_number_is_named_before_the_run(self, config, dataset):
        dataset.column("observation.state")[13, 1] = np.nan
        with pytest.raises(DatasetError, match=r"'lift' of 'observation.state' is nan in episode 1, frame 4\."):
            train(config)

    def test_what_was_overlooked_is_named_when_it_is_drawn(self, config, dataset, monkeypatch):
        monkeypatch.setattr("etude.train.finite.MOST_CHECKED", 1)
        dataset.column("action")[20, 2] = np.inf
        config = replace(config, policy=replace(config.policy, use_relative_actions=False))
        with pytest.raises(DatasetError, match=r"'gripper' of 'action' is inf in episode 1, frame 11\. Leave"):
            train(config)

    def test_held_out_episodes_do_not_keep_a_run_from_starting(self, config, dataset):
        dataset.column("observation.state")[30, 1] = np.nan
        with pytest.raises(DatasetError, match="episode 3, frame 2"):
            train(config)
        assert _events(config, "saved")

    def test_an_endless_gradient_ends_the_run_before_it_spoils_a_checkpoint(self, config):
        class Breaks(Watcher):
            def begin(self, run):
                self.weights = next(run.setup.loaded.policy.parameters())

            def step(self, step, values):
                if step == 1:
                    self.weights.register_hook(lambda gradient: gradient * np.inf)

        with pytest.raises(EtudeError, match=r"The gradient became (inf|nan) at update 2\. Try a lower"):
            train(replace(config, save_freq=1), watchers=[Breaks()])
        assert [event["step"] for event in _events(config, "saved")] == [1]

    @pytest.mark.parametrize(
        ("size", "accum", "advice"),
        [
            (8, 1, "--batch_size=4 --grad_accum_steps=2"),
            (6, 2, "--batch_size=3 --grad_accum_steps=4"),
            (5, 1, "--batch_size=1 --grad_accum_steps=5"),
            (1, 4, "Make pictures smaller"),
        ],
    )
    def test_running_out_of_memory_proposes_a_batch_size(self, config, size, accum, advice):
        class Greedy(Watcher):
            def step(self, step, values):
                torch.empty(10**16)

        with pytest.raises(UserError, match=f"batches of {size}.*{advice}"):
            train(replace(config, batch_size=size, grad_accum_steps=accum), watchers=[Greedy()])

    def test_other_failures_stay_what_they_are(self, config):
        class Breaks(Watcher):
            def step(self, step, values):
                raise RuntimeError("shapes differ")

        with pytest.raises(RuntimeError, match="shapes differ"):
            train(config, watchers=[Breaks()])
