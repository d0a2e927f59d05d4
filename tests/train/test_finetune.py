"""Going on from a checkpoint with another dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError, SpecMismatch
from etude.core.frame import ACTION, example
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies import policies
from etude.policies.act.config import Config
from etude.policies.loaded import LoadedPolicy
from etude.train.finetune import begun_from

ARM = Spec(shape=(3,))
FRONT, TOP = "observation.images.front", "observation.images.top"
PICTURE = Spec(shape=(48, 64, 3), dtype="uint8")
SPECS = {"observation.state": ARM, FRONT: PICTURE}
OTHER = {"observation.state": replace(ARM, names=("pan", "lift", "grip")), TOP: PICTURE, ACTION: ARM}


def stats_of(key, offset):
    random = np.random.default_rng(0)
    shape = (50, 3, 1, 1) if "images" in key else (50, 3)
    return Stats.of(random.standard_normal(shape) + offset)


@pytest.fixture
def loaded():
    torch.manual_seed(0)
    config = replace(Config.tiny(), use_relative_actions=False, use_imagenet_stats=False)
    stats = {key: stats_of(key, 0) for key in (*SPECS, ACTION)}
    policy = policies.build(config, SPECS, ARM).eval()
    pipeline = config.pipeline(stats, SPECS, ARM)
    return LoadedPolicy(policy=policy, config=config, pipeline=pipeline, observation=SPECS, action=ARM)


def test_a_dataset_with_other_names_is_refused_with_a_map_that_works(loaded):
    with pytest.raises(ConfigError) as caught:
        begun_from(loaded, OTHER)
    assert f"The dataset has no '{FRONT}'" in str(caught.value)
    assert f"""--rename_map='{{"{TOP}": "{FRONT}"}}'""" in str(caught.value)
    begun = begun_from(loaded, OTHER, rename_map={TOP: FRONT})
    frame = example(OTHER, np.random.default_rng(0))
    known = {FRONT: frame[TOP], "observation.state": frame["observation.state"]}
    np.testing.assert_array_equal(begun.act(frame), loaded.act(known))
    assert begun.observation["observation.state"].names == ("pan", "lift", "grip")


def test_numbers_are_measured_anew_and_pictures_are_not(loaded):
    stats = {key: stats_of(key, 5) for key in OTHER}
    begun = begun_from(loaded, OTHER, stats, {TOP: FRONT})
    frame = example(OTHER, np.random.default_rng(0))
    before = loaded.pipeline.encode({FRONT: frame[TOP], "observation.state": frame["observation.state"]})
    after = begun.pipeline.encode(frame)
    np.testing.assert_array_equal(after[FRONT], before[FRONT])
    moved = 5 / stats["observation.state"].std
    np.testing.assert_allclose(after["observation.state"], before["observation.state"] - moved, rtol=1e-5)
    assert begun.policy is loaded.policy


def test_a_dataset_of_another_robot_is_refused(loaded):
    with pytest.raises(SpecMismatch, match=r"'action' should be float32\[3\], got float32\[4\]"):
        begun_from(loaded, SPECS | {ACTION: Spec(shape=(4,))})
    with pytest.raises(ConfigError, match="no 'action'"):
        begun_from(loaded, SPECS)
