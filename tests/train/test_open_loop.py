from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.policies.act.config import Config
from etude.policies.loaded import LoadedPolicy
from etude.train.evaluate import OpenLoop
from etude.train.open_loop import latencies_s, measure


class Zero(torch.nn.Module):
    """Always gives the middle of what it learned from: zeros, before normalisation is undone."""

    def act(self, batch):
        return torch.zeros(len(batch["observation.state"]), 4, 3)


@pytest.fixture
def loaded(dataset):
    config = replace(Config.tiny(), use_relative_actions=False, image_size=None)
    specs = {"observation.state": dataset.specs["observation.state"]}
    return LoadedPolicy(
        policy=Zero(),
        config=config,
        pipeline=config.pipeline(dataset.stats, specs, dataset.specs["action"]),
        observation=specs,
        action=dataset.specs["action"],
    )


def test_errors_by_joint_and_by_time_by_hand(dataset, loaded):
    found = measure(loaded, dataset, dataset.episodes[2:3])  # rows 21 to 27, chunks of 4
    action, state = dataset.column("action"), dataset.column("observation.state")
    mean = action.mean(axis=0)
    assert found.counts.tolist() == [7, 6, 5, 4]
    np.testing.assert_allclose(found.at("policy", 3), np.abs(action[24:28] - mean).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.at("hold_state", 3), np.abs(action[24:28] - state[21:25]).mean(axis=0), rtol=1e-5)
    every = np.concatenate([np.abs(action[21 + ahead : 28] - mean) for ahead in range(4)])
    np.testing.assert_allclose(found.by_joint("policy"), every.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.by_joint("mean_action"), every.mean(axis=0), rtol=1e-5)
    stored = found.to_json()
    assert stored["policy"]["mean"] == pytest.approx(every.mean(), rel=1e-5)
    assert len(stored["policy"]["by_time"]) == 4
    assert OpenLoop.of(found).policy == pytest.approx(every.mean(), rel=1e-5)


def test_only_the_first_actions_if_asked(dataset, loaded):
    assert measure(loaded, dataset, dataset.episodes, num_actions=2).counts.tolist() == [38, 34]
    with pytest.raises(ConfigError, match="more than the chunk has"):
        measure(loaded, dataset, dataset.episodes, num_actions=5)


def test_frames_are_evenly_spaced_where_there_are_too_many(dataset, loaded):
    assert measure(loaded, dataset, dataset.episodes, most_frames=5).num_frames == 5


def test_single_chunks_are_timed(dataset, loaded):
    times = latencies_s(loaded, dataset)
    assert len(times) == 20
    assert min(times) > 0
