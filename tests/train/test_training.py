from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.spec import Spec
from etude.data.windows import Windows
from etude.policies import policies
from etude.policies.act.config import Config
from etude.policies.loaded import LoadedPolicy
from etude.train.config import Scheduler
from etude.train.evaluate import open_loop_error
from etude.train.optim import optimizer, rate_factor, set_rate
from etude.train.precision import uses_bf16
from etude.train.samples import measured_stats, rows_of, split


class TestRate:
    def test_it_warms_up_and_falls_to_nothing(self, config):
        config = replace(config, scheduler=Scheduler(num_warmup_steps=4), steps=14)
        assert [rate_factor(step, config) for step in (0, 1, 3)] == [0.25, 0.5, 1.0]
        assert rate_factor(4, config) == 1.0
        assert rate_factor(9, config) == pytest.approx(0.5)
        assert rate_factor(14, config) == pytest.approx(0.0)

    def test_it_may_stay(self, config):
        assert rate_factor(9, replace(config, scheduler=Scheduler(type="constant", num_warmup_steps=2))) == 1.0

    def test_groups_keep_their_own(self, config):
        policy = policies.build(
            replace(config.policy, optimizer_lr_backbone=0.5, use_relative_actions=False),
            {"observation.images.front": Spec(shape=(32, 32, 3), dtype="uint8")},
            Spec(shape=(2,)),
        )
        made = optimizer(policy, config)
        set_rate(made, 0.1)
        assert [group["lr"] for group in made.param_groups] == pytest.approx([1e-4, 0.05])


class TestSamples:
    def test_the_last_episodes_are_held_out(self, dataset):
        learned_from, held_out = split(dataset, 2)
        assert [each.index for each in learned_from] == [0, 1]
        assert rows_of(held_out).tolist() == list(range(21, 38))

    def test_relative_actions_are_measured_without_padding(self, dataset):
        config = Config.tiny()
        windows = Windows(dataset, config.window, ["observation.state", "action"])
        rows = rows_of(dataset.episodes)
        specs = {"observation.state": dataset.specs["observation.state"]}
        stats = measured_stats(dataset, windows, rows, config.reframe(specs, dataset.specs["action"]))
        action, state = dataset.column("action"), dataset.column("observation.state")
        wanted = [
            action[at] - state[row] * [1, 1, 0]
            for each in dataset.episodes
            for row in range(each.start, each.stop)
            for at in range(row, min(row + 4, each.stop))
        ]
        np.testing.assert_allclose(stats["action"].mean, np.mean(wanted, 0), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(stats["action"].std, np.std(wanted, 0), rtol=1e-5)
        assert stats["observation.state"] is dataset.stats["observation.state"]

    def test_absolute_actions_keep_the_datasets(self, dataset):
        config = replace(Config.tiny(), use_relative_actions=False)
        windows = Windows(dataset, config.window, ["observation.state", "action"])
        reframe = config.reframe(dataset.specs, dataset.specs["action"])
        assert measured_stats(dataset, windows, np.arange(5), reframe) == dataset.stats


@pytest.mark.parametrize(("choice", "wanted"), [("on", True), ("off", False)])
def test_bf16_can_be_chosen(choice, wanted):
    assert uses_bf16(choice, torch.device("cpu")) is wanted


def test_bf16_is_timed_on_a_processor(monkeypatch):
    times = {torch.float32: 1.0, torch.bfloat16: 0.5}
    monkeypatch.setattr("etude.train.precision._product_s", times.__getitem__)
    assert uses_bf16("auto", torch.device("cpu"))
    times[torch.bfloat16] = 0.9
    assert not uses_bf16("auto", torch.device("cpu"))


class _Constant(torch.nn.Module):
    def act(self, batch):
        return torch.zeros(len(batch["observation.state"]), 4, 3)


def test_open_loop_error_by_hand(dataset):
    config = replace(Config.tiny(), use_relative_actions=False, image_size=None)
    specs = {"observation.state": dataset.specs["observation.state"]}
    loaded = LoadedPolicy(
        policy=_Constant(),
        config=config,
        pipeline=config.pipeline(dataset.stats, specs, dataset.specs["action"]),
        observation=specs,
        action=dataset.specs["action"],
    )
    score = open_loop_error(loaded, dataset, dataset.episodes[2:3])
    action, state = dataset.column("action"), dataset.column("observation.state")
    pairs = [(row, at) for row in range(21, 28) for at in range(row, row + 4) if at < 28]
    mean = action.mean(0)
    assert score.frames == 7
    assert score.mean_action == pytest.approx(np.mean([np.abs(action[at] - mean) for _, at in pairs]), rel=1e-5)
    assert score.policy == pytest.approx(score.mean_action, rel=1e-5)
    assert score.hold_state == pytest.approx(np.mean([np.abs(action[at] - state[row]) for row, at in pairs]), rel=1e-5)
    with pytest.raises(ConfigError, match="more than the chunk has"):
        open_loop_error(loaded, dataset, dataset.episodes, num_actions=5)


@pytest.mark.parametrize("change", [{"steps": -1}, {"batch_size": 0}, {"grad_accum_steps": 0}])
def test_nonsense_is_refused(config, change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        replace(config, **change)
