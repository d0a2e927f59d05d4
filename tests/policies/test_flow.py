"""What is particular to the flow policy: what it learns from, and how its chunks go on from one another."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies.flow.config import Config
from etude.policies.flow.model import TIME_SCALE, build
from etude.policies.loaded import LoadedPolicy
from etude.policies.realtime import DELAY, PREFIX, RealTime
from etude.rollout.policy_agent import PolicyAgent
from etude.rollout.thinking import InTicks

POINT = Spec(shape=(1,), names=("x",))
SPECS = {"observation.state": POINT, "observation.environment_state": POINT}
HORIZON, DELAYED = 8, 2


def make(**values):
    torch.manual_seed(0)
    config = dataclasses.replace(
        Config.tiny(), horizon=HORIZON, n_action_steps=4, n_obs_steps=1, n_emb=32, n_layer=2, **values
    )
    return build(config, SPECS, POINT), config


def forks(random, count=64):
    """Chunks that from 0 go either up or down, each for reasons that nobody sees."""
    side = random.choice([-1.0, 1.0], (count, 1))
    action = side * np.arange(1, HORIZON + 1)[None] / HORIZON
    batch = {key: np.zeros((count, 1, 1)) for key in SPECS} | {"action": action[..., None]}
    return {key: torch.from_numpy(value.astype(np.float32)) for key, value in batch.items()}


def fork(values, time, memory):
    """The velocity that a perfect network tells in a world of two ways: values go to the ways as likely as each is."""
    del memory
    ways = torch.stack([side * torch.arange(1.0, HORIZON + 1) / HORIZON for side in (-1, 1)])[:, None, :, None]
    share = time.expand(values.shape[:2])[..., None].clamp_min(0.02)
    distance = ((values - (1 - share) * ways) / share).square().sum((-2, -1))  # (way, batch)
    clean = ((-distance / 2).softmax(0)[..., None, None] * ways).sum(0)
    return (values - clean) / share


@pytest.fixture
def learned():
    """A policy that goes up or down by chance: the next chunk may turn where the last one went."""
    policy, config = make(use_relative_actions=False, rtc_max_delay=3, num_integration_steps=10)
    policy._velocity = fork
    stats = {key: Stats.of(np.array([[-1.0], [1.0]])) for key in (*SPECS, "action")}
    return LoadedPolicy(
        policy=policy.eval(),
        config=config,
        pipeline=config.pipeline(stats, SPECS, POINT),
        observation=SPECS,
        action=POINT,
    )


def play(loaded, realtime=None, ticks=60):
    """Play chunks that come two ticks late, in a world where nothing moves."""
    policy = loaded.going_on(realtime) if realtime else loaded
    agent = PolicyAgent(policy, replan=4, thinking=InTicks(policy, DELAYED), continues=realtime is not None)
    frame = {key: np.zeros(1, np.float32) for key in SPECS}
    return np.array([agent.act(frame)[0] for _ in range(ticks)])


def test_it_makes_each_of_two_ways_and_not_their_mean(learned):
    batch = {key: np.zeros((100, 1, 1), np.float32) for key in SPECS}
    torch.manual_seed(0)
    ends = learned.act_batch(batch)[:, -1, 0]
    assert (np.abs(ends) > 0.6).mean() > 0.9
    assert 0.2 < (ends > 0).mean() < 0.8


@pytest.mark.parametrize(
    "realtime",
    [
        RealTime(mode="guided", prefix_attention_schedule="EXP"),
        RealTime(mode="guided", jacobian="full"),
        RealTime(mode="inpainting"),
        RealTime(mode="trained"),
    ],
    ids=str,
)
def test_chunks_that_go_on_change_their_minds_less(learned, realtime):
    """In this world chunks begin at 0 whatever was played before, so only where they lead is compared: up or down."""
    random, count = np.random.default_rng(2), 60
    batch = {key: np.zeros((count, 1, 1), np.float32) for key in SPECS}
    noises = [random.standard_normal((count, HORIZON, 1)).astype(np.float32) for _ in range(2)]
    old, plain = (learned.act_batch(batch | {"noise": noise}) for noise in noises)
    told = batch | {"noise": noises[1], PREFIX: old, DELAY: np.full(count, 3)}
    turned, turned_plainly = (
        (new[:, -1] * old[:, -1] < 0).sum() for new in (learned.going_on(realtime).act_batch(told), plain)
    )
    assert turned_plainly > 20
    assert turned < 0.5 * turned_plainly


def test_with_all_of_each_chunk_played_and_no_delay_nothing_changes(learned):
    frame = {key: np.zeros(1, np.float32) for key in SPECS}

    def played(realtime):
        policy = learned.going_on(realtime) if realtime else learned
        agent = PolicyAgent(policy, replan=HORIZON, continues=realtime is not None)
        return [agent.act(frame).item() for _ in range(3 * HORIZON)]

    plain = played(None)
    for mode in learned.config.rtc_modes:
        assert played(RealTime(mode=mode)) == plain


def test_there_is_less_of_a_jump_where_chunks_meet(learned):
    jumps = {
        mode: np.abs(np.diff(play(learned, RealTime(mode=mode) if mode else None))).max()
        for mode in (None, *learned.config.rtc_modes)
    }
    # A chunk is entered at its third action, where the two ways are 6/8 apart; the old one leads on at 1/8 a tick.
    assert jumps[None] > 0.5
    for mode in learned.config.rtc_modes:
        assert jumps[mode] < jumps[None]


def test_given_actions_are_clean_at_a_time_of_their_own_and_not_learned():
    policy, _ = make(use_relative_actions=False, rtc_max_delay=3, num_noise_draws=1)
    batch, asked = forks(np.random.default_rng(0), 64), []

    def told(values, time, seen):
        asked.append((values, time))
        return torch.zeros_like(values, requires_grad=True)

    policy.transformer.forward = told
    loss, _ = policy.loss(batch)
    ((values, time),) = asked
    given = time == 0
    counts = given.sum(1)
    assert set(counts.tolist()) == {0, 1, 2, 3}
    assert (given[:, :-1] >= given[:, 1:]).all()  # the first ones, without a gap
    torch.testing.assert_close(values[..., 0][given], batch["action"][..., 0][given])
    share = (time / TIME_SCALE)[..., None]
    noise = (values - (1 - share) * batch["action"]) / share
    wanted = (noise - batch["action"])[~given].square().mean()
    torch.testing.assert_close(loss, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("prediction_type", "method"),
    [
        ("velocity", "euler"),
        ("velocity", "midpoint"),
        ("velocity", "heun"),
        ("sample", "euler"),
        ("sample", "midpoint"),
    ],
)
def test_every_prediction_and_method_makes_a_chunk(prediction_type, method):
    policy, _ = make(prediction_type=prediction_type, integration_method=method)
    batch = {key: value for key, value in forks(np.random.default_rng(0), 2).items() if key != "action"}
    assert torch.isfinite(policy.eval().act(batch)).all()


def test_padded_actions_are_not_learned():
    policy, _ = make(use_relative_actions=False, num_noise_draws=1)
    batch = forks(np.random.default_rng(0), 4)
    is_pad = (torch.arange(HORIZON) >= 5).expand(4, -1)
    policy.transformer.forward = lambda values, time, seen: torch.where(is_pad[..., None], 1e6, 0.0)
    assert policy.loss(batch | {"action_is_pad": is_pad})[0] < 100


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_action_steps": 17}, r"n_action_steps \(17\) must lie between 1 and horizon \(16\)"),
        ({"rtc_max_delay": 16}, r"rtc_max_delay \(16\) must lie between 0 and horizon - 1"),
        ({"n_emb": 30}, r"n_emb \(30\) must be even and a multiple of n_head"),
        ({"num_integration_steps": 0}, "should be at least 1"),
        ({"timestep_sampling_beta": 2.0}, "stratified needs a Beta"),
    ],
)
def test_values_that_make_no_sense_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        Config(**values)
