"""Frames that a run draws more often than others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.data.dataset import Episodes
from etude.train.config import Emphasis
from etude.train.setup import prepare


@pytest.fixture
def grasping(dataset):
    """The gripper is open but for the frames from 5 on in the first of two episodes, of 20 and 18."""
    dataset.episodes = Episodes.in_a_row((20, 18), lambda _: dataset.tasks)
    actions = np.full_like(dataset._columns["action"], 1.0)
    actions[5:20, -1] = 0.0
    stats = dataset.stats["action"]
    dataset.stats = {**dataset.stats, "action": replace(stats, min=0 * stats.min, max=0 * stats.max + 1)}
    dataset._columns["action"] = actions


def test_it_draws_and_tells_of_frames_around_a_grasp(config, dataset, grasping):
    before_s = 2 / dataset.fps
    told = replace(config, holdout_episodes=0, emphasis=Emphasis(grasp=4.0, before_s=before_s))
    setup = prepare(told, None, torch.device("cpu"))
    around = 2 + round(0.25 * dataset.fps)
    assert f"{around} of 38 frames are of the moments that --emphasis names" in setup.told()
    drawn = np.concatenate([setup.draw() for _ in range(4000)])
    is_near = (drawn >= 3) & (drawn < 3 + around)
    assert is_near.mean() == pytest.approx(4 * around / (4 * around + 38 - around), rel=0.02)
    assert "--emphasis" not in prepare(config, None, torch.device("cpu")).told()


@pytest.mark.parametrize("wrong", [{"grasp": 0.0}, {"release": -1.0}, {"before_s": 0.0}, {"before_s": float("inf")}])
def test_values_without_meaning_are_refused(wrong):
    with pytest.raises(ConfigError, match="should be above 0, got"):
        Emphasis(**wrong)
