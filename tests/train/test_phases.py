"""Training a policy that learns in phases: VQ-BeT's codes come first."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.events import read_events
from etude.policies.vqbet.config import Config
from etude.train.checkpoints import Checkpoints
from etude.train.loop import train
from etude.train.watchers import Watcher


@pytest.fixture
def phased(config):
    policy = replace(Config.tiny(), crop_shape=None, n_vqvae_training_steps=4)
    return replace(config, policy=policy)


def test_a_run_resumed_among_the_codes_goes_on_counting_and_ends_with_the_same_bits(
    phased, tmp_path, state_of, stop_at
):
    straight, parts = state_of(train(phased)), replace(phased, output_dir=tmp_path / "parts")
    half = state_of(train(parts, watchers=[stop_at(3)]))
    assert half["policy.action_head.vqvae_model.optimized_steps"] == 3
    resumed = state_of(train(parts, resume=True))
    assert resumed["policy.action_head.vqvae_model.discretized"]
    assert [name for name in straight if not torch.equal(straight[name], resumed[name])] == []


def test_a_run_that_would_learn_codes_only_is_refused(phased):
    with pytest.raises(ConfigError, match=r"steps \(4\) should be more than 4"):
        train(replace(phased, steps=4))


def test_a_checkpoint_that_has_not_learned_to_act_is_not_the_best(phased):
    class Scored(Watcher):
        steps: ClassVar[list[int]] = []

        def scored(self, kind, step, values):
            if values.get("validation_loss") is not None:
                self.steps.append(step)

    train(replace(phased, save_freq=1), watchers=[Scored()])
    folder = phased.output_dir / "checkpoints"
    assert list(Checkpoints(phased.output_dir, 0).scores()) == ["000004", "000005", "000006"]
    assert Scored.steps == [4, 5, 6]
    assert int((folder / "best").resolve().name) >= 4


def test_each_phase_tells_its_own_losses(phased):
    train(phased)
    told = [event for event in read_events(phased.output_dir / "events.jsonl") if event["kind"] == "step"]
    assert ["recon_l1_error" in event for event in told] == [True] * 4 + [False] * 2
    assert ["offset_loss" in event for event in told] == [False] * 4 + [True] * 2
