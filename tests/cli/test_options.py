"""How a command's words become an agent that plays a policy's chunks."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.cli import parse
from etude.cli.options import Rtc, TrainedPolicy, agent_of
from etude.cli.run import Run
from etude.core.clock import RealClock, SimClock
from etude.core.errors import ConfigError, UserError
from etude.core.frame import example
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies import policies
from etude.policies.loaded import LoadedPolicy
from etude.rollout.thinking import InThread, InTicks

torch.set_num_threads(1)

ARM = Spec(shape=(2,), names=("pan", "lift"))
SPECS = {"observation.state": ARM, "observation.environment_state": ARM}


def load(kind, **values):
    config = dataclasses.replace(policies.config(kind).tiny(), **values)
    stats = {key: Stats.of(np.random.default_rng(0).standard_normal((20, 2))) for key in (*SPECS, "action")}
    torch.manual_seed(0)
    return LoadedPolicy(
        policy=policies.build(config, SPECS, ARM),
        config=config,
        pipeline=config.pipeline(stats, SPECS, ARM),
        observation=SPECS,
        action=ARM,
    )


def options(*words):
    return parse.parse(Run, ["--policy.path=x", *words], prog="etude run").policy


def chunks_for(agent, ticks=4):
    frame = example(SPECS, np.random.default_rng(0))
    for _ in range(ticks):
        agent.act(frame)
    return len(agent.latencies_s)


def test_every_knob_can_be_typed_and_is_stored_with_the_run():
    words = ("--policy.replan=3", "--policy.delay=2", "--policy.temporal_ensemble_coeff=off",
             "--policy.rtc.mode=guided", "--policy.rtc.execution_horizon=5", "--policy.rtc.jacobian=full",
             "--policy.rtc.max_guidance_weight=4", "--policy.rtc.prefix_attention_schedule=EXP")  # fmt: skip
    rtc = Rtc(
        mode="guided",
        execution_horizon=5,
        jacobian="full",
        max_guidance_weight=4.0,
        prefix_attention_schedule="EXP",
    )
    wanted = TrainedPolicy(path=Path("x"), replan=3, delay=2, temporal_ensemble_coeff="off", rtc=rtc)
    assert options(*words) == wanted
    command = parse.parse(Run, ["--policy.path=x", *words], prog="etude run")
    stored = json.loads(json.dumps(parse.encode(command)))
    assert stored["policy"]["rtc"]["mode"] == "guided"
    assert stored["policy"]["delay"] == 2


def test_a_stored_run_plays_as_it_did(tmp_path):
    command = parse.parse(Run, ["--policy.path=x", "--policy.temporal_ensemble_coeff=0.1"], prog="etude run")
    (tmp_path / "run.json").write_text(json.dumps({"command": "run", "config": parse.encode(command)}))
    assert parse.parse(Run, [f"--config={tmp_path / 'run.json'}"], prog="etude run").policy == command.policy


def test_the_checkpoint_says_how_often_to_plan():
    assert chunks_for(agent_of(load("act", n_action_steps=2), options())) == 2
    assert chunks_for(agent_of(load("act", n_action_steps=2), options("--policy.replan=4"))) == 1


@pytest.mark.parametrize(("words", "chunks"), [((), 4), (("--policy.temporal_ensemble_coeff=off",), 2)])
def test_a_checkpoint_that_ensembles_is_asked_at_every_tick_unless_told_otherwise(words, chunks):
    loaded = load("act", temporal_ensemble_coeff=0.01, n_action_steps=1)
    loaded = dataclasses.replace(loaded, config=dataclasses.replace(loaded.config, n_action_steps=1))
    words = (*words, "--policy.replan=2") if words else words
    assert chunks_for(agent_of(loaded, options(*words))) == chunks


def test_simulated_time_takes_exactly_the_delay_and_real_time_what_it_takes():
    loaded, words = load("flow"), ("--policy.rtc.mode=guided",)
    kinds = {
        (None, ()): InTicks,
        (SimClock(), ("--policy.delay=1",)): InTicks,
        (RealClock(), ()): InThread,
        (RealClock(), ("--policy.delay=1",)): InThread,
        (RealClock(), ("--policy.delay=0",)): InTicks,
    }
    for (clock, more), kind in kinds.items():
        agent = agent_of(loaded, options(*words, *more), hz=30.0, clock=clock)
        assert isinstance(agent._thinking, kind)
    assert isinstance(agent_of(loaded, options(), hz=30.0, clock=RealClock())._thinking, InTicks)


@pytest.mark.parametrize("mode", ["guided", "inpainting", "trained"])
def test_a_policy_that_samples_goes_on_in_a_whole_rollout(mode):
    loaded = load("flow", n_action_steps=1)
    agent = agent_of(loaded, options(f"--policy.rtc.mode={mode}", "--policy.delay=1", "--policy.replan=2"))
    assert chunks_for(agent, 8) == 4
    assert agent.num_held == 0


@pytest.mark.parametrize(
    ("kind", "words", "message"),
    [
        ("act", ["rtc.mode=guided"], r"type act cannot go on .* diffusion and flow can.*temporal_ensemble_coeff"),
        ("diffusion", ["rtc.mode=trained"], r"cannot go on .* with rtc.mode = trained; it can with guided and inpaint"),
        ("flow", ["rtc.mode=trained", "delay=3"], r"delay = 3 is more than the 2 actions .* learned to go on from"),
        ("flow", ["delay=4"], "delay = 4 is more than a chunk of 4 actions lasts; the most is 3"),
        ("flow", ["delay=-1"], "delay should be at least 0"),
        ("flow", ["replan=-1"], "replan should be at least 1"),
        ("flow", ["rtc.execution_horizon=0"], "execution_horizon should be at least 1"),
        ("flow", ["rtc.max_guidance_weight=0"], "max_guidance_weight should be above 0"),
        ("flow", ["rtc.mode=guided", "temporal_ensemble_coeff=0.1"], "two ways to join chunks; choose one"),
    ],
)
def test_what_cannot_be_done_is_said(kind, words, message):
    with pytest.raises((ConfigError, UserError), match=message):
        agent_of(load(kind), options(*(f"--policy.{word}" for word in words)))


def test_more_of_a_chunk_than_there_is_cannot_be_played():
    with pytest.raises(UserError, match=r"--policy\.replan = 9 is more than the 4 actions"):
        agent_of(load("act"), options("--policy.replan=9"))
