from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.spec import Spec
from etude.data.windows import Windows
from etude.nn.ema import Ema, power_law, ramp
from etude.policies import checkpoint, policies
from etude.policies.act.config import Config
from etude.policies.loaded import LoadedPolicy
from etude.train import parallel
from etude.train.compiling import compiles
from etude.train.config import Average, Optimizer, Scheduler
from etude.train.evaluate import OpenLoop
from etude.train.loop import train
from etude.train.open_loop import measure
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


class TestSchedules:
    """Against the numbers of the laws that the names promise."""

    def factors(self, config, steps, **values):
        config = replace(config, steps=10, scheduler=Scheduler(**values))
        return [rate_factor(step, config) for step in steps]

    def test_a_line_falls_evenly(self, config):
        assert self.factors(config, (0, 1, 2, 6, 10), type="linear", num_warmup_steps=2) == [0.5, 1.0, 1.0, 0.5, 0.0]

    def test_a_delay_puts_all_off(self, config):
        found = self.factors(config, (0, 3, 4, 5, 8, 10), type="cosine", num_warmup_steps=2, num_delay_steps=4)
        assert found == pytest.approx([1.0, 1.0, 0.5, 1.0, 0.5, 0.0])

    def test_lerobots_law_ends_at_its_floor_and_stays(self, config):
        config = replace(config, policy=replace(config.policy, optimizer_lr=2.5e-5), steps=50)
        values = Scheduler(type="cosine_decay_with_warmup", num_warmup_steps=4, num_decay_steps=20, decay_lr=2.5e-6)
        config = replace(config, scheduler=values)
        # Numbers of lerobot 0.4.4's CosineDecayWithWarmupSchedulerConfig(4, 20, 2.5e-5, 2.5e-6).build(..., 50).
        wanted = {0: 0.2, 1: 0.4, 3: 0.8, 4: 0.9140576474687263, 10: 0.55, 20: 0.1, 49: 0.1}
        assert [rate_factor(step, config) for step in wanted] == pytest.approx(list(wanted.values()))

    def test_lerobots_law_shrinks_with_the_run(self, config):
        config = replace(config, policy=replace(config.policy, optimizer_lr=1e-3), steps=10)
        values = Scheduler(type="cosine_decay_with_warmup", num_warmup_steps=8, num_decay_steps=20, decay_lr=1e-4)
        config = replace(config, scheduler=values)
        assert [rate_factor(step, config) for step in (0, 2, 10)] == pytest.approx([0.2, 0.6, 0.1])


class TestOptimizer:
    def make(self, config, kind, **group):
        weight = torch.nn.Parameter(torch.tensor([2.0]))
        policy = SimpleNamespace(parameter_groups=lambda: [{"params": [weight]} | group])
        config = replace(config, policy=replace(config.policy, optimizer_lr=0.1, optimizer_weight_decay=0.5))
        return weight, optimizer(policy, replace(config, optimizer=Optimizer(type=kind)))

    def stepped(self, weight, made):
        weight.grad = torch.tensor([1.0])
        made.step()
        return weight.item()

    def test_adamw_takes_decay_from_the_weight(self, config):
        # 2 (1 - 0.1 * 0.5) - 0.1, as the first step of Adam is the rate.
        assert self.stepped(*self.make(config, "adamw")) == pytest.approx(1.8, abs=1e-6)

    def test_adam_adds_it_to_the_gradient(self, config):
        assert self.stepped(*self.make(config, "adam")) == pytest.approx(1.9, abs=1e-6)

    def test_a_group_keeps_its_own_values(self, config):
        _, made = self.make(config, "adamw", lr=0.5, betas=(0.95, 0.999), eps=1e-6, weight_decay=0.0)
        group = made.param_groups[0]
        assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (0.5, (0.95, 0.999), 1e-6, 0.0)
        assert group["base_lr"] == 0.5


class TestAverage:
    def decays(self, rise, decay=0.9999):
        weight = torch.nn.Linear(1, 1, bias=False)
        average, found = Ema(weight, decay, rise), []
        for _ in range(4):
            with torch.no_grad():
                weight.weight.fill_(0.0)
                average.average["weight"].fill_(1.0)
            average.update()
            found.append(average.average["weight"].item())
        return found

    def test_diffusion_policys_law(self):
        # EMAModel.get_decay of real-stanford/diffusion_policy at steps 0 to 3: 1 - (1 + n) ** -0.75, from its third on.
        assert self.decays(power_law()) == pytest.approx([0.0, 0.0, 1 - 2**-0.75, 1 - 3**-0.75], abs=1e-6)
        assert self.decays(power_law(), decay=0.2)[2] == pytest.approx(0.2)

    def test_a_constant_and_a_ramp(self):
        assert self.decays(lambda _: 0.9) == pytest.approx([0.9] * 4)
        assert self.decays(ramp) == pytest.approx([2 / 11, 3 / 12, 4 / 13, 5 / 14])

    def test_what_is_counted_is_copied(self):
        norm = torch.nn.BatchNorm1d(2)
        average = Ema(norm, 0.9)
        norm.num_batches_tracked += 7
        average.update()
        assert average.average["num_batches_tracked"].item() == 7


class TestCompiling:
    def test_a_missing_compiler_is_named(self, config, monkeypatch):
        monkeypatch.setenv("CXX", "no-such-compiler")
        with pytest.raises(ConfigError, match=r"--compile=on needs a C\+\+ compiler \(no-such-compiler\)"):
            compiles(replace(config, compile="on"), torch.device("cpu"))

    def test_a_processor_compiles_only_when_asked(self, config):
        assert not compiles(replace(config, steps=10**6), torch.device("cpu"))

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.compile itself uses what torch has deprecated
    def test_a_compiled_run_learns_the_same(self, config, tmp_path):
        # Without the latent, whose noise a compiled program draws in another order.
        config = replace(config, steps=2, holdout_episodes=0, policy=replace(config.policy, use_vae=False))
        weights = []
        for choice in ("on", "off"):
            folder = train(replace(config, compile=choice, output_dir=tmp_path / choice))
            weights.append(checkpoint.load(folder).policy.state_dict())
        worst = max(float((weights[0][name] - weights[1][name]).abs().max()) for name in weights[0])
        assert worst < 1e-4


@pytest.mark.parametrize(("kind", "plugin"), [("fsdp", "FullyShardedDataParallelPlugin"), ("deepspeed", "DeepSpeedP")])
class TestSharding:
    def test_the_plugin_is_made(self, config, kind, plugin):
        made = parallel.sharding_plugin(replace(config, parallel=kind, grad_accum_steps=2))
        assert type(made).__name__.startswith(plugin)

    def test_it_is_for_several_gpus(self, config, kind, plugin):
        with pytest.raises(ConfigError, match="is for several GPUs; here are 1 of cpu"):
            train(replace(config, parallel=kind))


def test_bf16_trains(config):
    assert train(replace(config, bf16="on", steps=2)).name == "000002"


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
    score = OpenLoop.of(measure(loaded, dataset, dataset.episodes[2:3]))
    action, state = dataset.column("action"), dataset.column("observation.state")
    pairs = [(row, at) for row in range(21, 28) for at in range(row, row + 4) if at < 28]
    mean = action.mean(0)
    assert score.frames == 7
    assert score.mean_action == pytest.approx(np.mean([np.abs(action[at] - mean) for _, at in pairs]), rel=1e-5)
    assert score.policy == pytest.approx(score.mean_action, rel=1e-5)
    assert score.hold_state == pytest.approx(np.mean([np.abs(action[at] - state[row]) for row, at in pairs]), rel=1e-5)
    with pytest.raises(ConfigError, match="more than the chunk has"):
        measure(loaded, dataset, dataset.episodes, num_actions=5)


@pytest.mark.parametrize(
    ("group", "values"),
    [
        (Average, {"decay": 1.0}),
        (Average, {"power": 0.0}),
        (Optimizer, {"grad_clip_norm": -1.0}),
        (Optimizer, {"betas": (0.9, 1.0)}),
        (Scheduler, {"num_warmup_steps": -1}),
        (Scheduler, {"num_decay_steps": 0}),
    ],
)
def test_nonsense_in_a_group_is_refused(group, values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        group(**values)


@pytest.mark.parametrize("change", [{"steps": -1}, {"batch_size": 0}, {"grad_accum_steps": 0}])
def test_nonsense_is_refused(config, change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        replace(config, **change)
