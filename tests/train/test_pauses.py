from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.data.dataset import Episodes
from etude.train.loop import train
from etude.train.setup import prepare

PAUSES = (3, 4, 5, 6, 12, 13, 14, 37)
"""Rows in which the command is that of the row before; 37 alone is too short for a pause."""


@pytest.fixture
def hesitating(dataset):
    """The arm stands still twice in the first two episodes, of 9 and 12 frames; tells the rows that are left."""
    dataset.episodes = Episodes.in_a_row((9, 12, 7, 10), lambda _: dataset.tasks)
    actions = dataset._columns["action"].copy()
    for row in PAUSES:
        actions[row] = actions[row - 1]
    dataset._columns["action"] = actions
    return [row for row in range(38) if row not in PAUSES[:-1]]


def test_frames_of_pauses_are_not_drawn(config, hesitating):
    setup = prepare(replace(config, drop_pauses=True, holdout_episodes=0), None, torch.device("cpu"))
    assert sorted(np.concatenate([setup.draw() for _ in range(31)])[:31].tolist()) == hesitating


def test_what_is_left_out_is_told(config, hesitating):
    told = prepare(replace(config, drop_pauses=True), None, torch.device("cpu")).told()
    assert "7 of 28 frames are of pauses and left out (25.0%)" in told
    assert "pauses" not in prepare(config, None, torch.device("cpu")).told()


def test_it_learns_as_though_pauses_had_not_been_recorded(config, dataset, hesitating, tmp_path, state_of):
    config = replace(config, holdout_episodes=0, steps=4)
    left_out = state_of(train(replace(config, drop_pauses=True)))
    dataset._columns = {key: values[hesitating] for key, values in dataset._columns.items()}
    dataset.episodes = Episodes.in_a_row((5, 9, 7, 10), lambda _: dataset.tasks)
    not_recorded = state_of(train(replace(config, output_dir=tmp_path / "other")))
    assert [name for name in left_out if not torch.equal(left_out[name], not_recorded[name])] == []


def test_a_run_goes_on_as_it_began(config, hesitating):
    train(replace(config, drop_pauses=True, steps=2))
    with pytest.raises(ConfigError, match="other values of drop_pauses"):
        train(replace(config, steps=4), resume=True)
