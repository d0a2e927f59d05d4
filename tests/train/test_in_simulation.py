from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("gym_pusht")

from etude.core.errors import ConfigError
from etude.core.events import read_events
from etude.data import create_dataset
from etude.envs import envs
from etude.policies import checkpoint, policies
from etude.policies.weights import read_weights
from etude.rollout.agents import ReplayAgent
from etude.rollout.evaluate import evaluate
from etude.rollout.loop import rollout
from etude.rollout.policy_agent import PolicyAgent
from etude.rollout.sinks import RecordSink
from etude.train.config import TrainConfig
from etude.train.in_simulation import FIRST_SCENE, InSimulation
from etude.train.loop import train

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pusht():
    return replace(envs.config("pusht").keypoints(), episode_length=8)


@pytest.fixture(scope="module")
def root(pusht, tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "pusht"
    with closing(envs.build(pusht)) as env:
        writer = create_dataset(root, {**env.observation, "action": env.action}, fps=10)
        for seed in range(3):
            actions = np.random.default_rng(seed).uniform(100, 400, (9, 2)).astype(np.float32)
            rollout(env, ReplayAgent(actions), [RecordSink(writer, "Push the T.")], seed=seed)
        writer.close()
    return root


@pytest.fixture
def config(root, tmp_path):
    return TrainConfig(
        datasets=(root,),
        policy=policies.config("diffusion").tiny(),
        output_dir=tmp_path / "run",
        steps=5,
        batch_size=4,
        save_freq=100,
        device="cpu",
        bf16="off",
        cache_gb=0,
        num_threads=1,
    )


def _weights(folder):
    return read_weights(folder / "training_state" / "state.safetensors")


def test_it_scores_what_the_checkpoints_would_do_and_changes_nothing_that_is_learned(config, pusht, tmp_path):
    plain = _weights(train(replace(config, output_dir=tmp_path / "plain")))
    told = []
    last = train(config, watchers=[InSimulation(pusht, freq=2, n_episodes=3, say=told.append)])
    watched = _weights(last)
    assert [name for name in plain if not torch.equal(plain[name], watched[name])] == []

    folder = config.output_dir / "checkpoints"
    assert sorted(path.name for path in folder.iterdir() if path.name.isdigit()) == ["000002", "000004", "000005"]
    events = [event for event in read_events(config.output_dir / "events.jsonl") if event["kind"] == "evaluation"]
    assert [event["step"] for event in events] == [2, 4, 5]
    assert all(event["n"] == 3 and event["low"] <= event["success_rate"] <= event["high"] for event in events)
    assert told[0].startswith("Update 2: 0 of 3 succeeded: 0 % [0 to 56")

    loaded = checkpoint.load(folder / "000004")
    with closing(envs.build(pusht)) as env:
        agent = PolicyAgent(loaded, replan=loaded.n_action_steps)
        again = evaluate(env, agent, seeds=range(FIRST_SCENE, FIRST_SCENE + 3)).to_json()
    assert again["max_reward"] == events[1]["max_reward"]
    assert again["action_jerk"] == events[1]["action_jerk"]


def test_chunks_are_blended_where_the_policy_was_meant_to_be_played_so(config, pusht):
    policy = replace(policies.config("act").tiny(), use_relative_actions=False, temporal_ensemble_coeff=0.01)
    last = train(
        replace(config, policy=policy, steps=1), watchers=[InSimulation(pusht, freq=1, n_episodes=1, say=print)]
    )
    events = read_events(config.output_dir / "events.jsonl")
    (told,) = [event for event in events if event["kind"] == "evaluation"]
    with closing(envs.build(pusht)) as env:
        agent = PolicyAgent(checkpoint.load(last), replan=1, ensemble_coeff=0.01)
        assert evaluate(env, agent, seeds=[FIRST_SCENE]).to_json()["action_jerk"] == told["action_jerk"]


def test_the_checkpoint_with_most_successes_is_the_best(config, pusht, monkeypatch):
    rates = iter([0.0, 0.5, 0.25])

    class Scored(InSimulation):
        def saved(self, step, folder):
            self._run.report("evaluation", success_rate=next(rates))

    train(config, watchers=[Scored(pusht, freq=2, n_episodes=1, say=print)])
    assert (config.output_dir / "checkpoints" / "best").resolve().name == "000004"


def test_a_policy_that_does_not_fit_the_environment_is_refused_before_it_learns(config):
    pictures = envs.config("pusht")()
    with pytest.raises(ConfigError, match="environment_state"):
        train(config, watchers=[InSimulation(pictures, freq=1, n_episodes=1, say=print)])
    assert not list(Path(config.output_dir).glob("checkpoints/0*"))
    with pytest.raises(ConfigError, match="at least 1"):
        InSimulation(pictures, freq=0, n_episodes=1, say=print)
