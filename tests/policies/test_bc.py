"""Behaviour cloning: what is played, what is only learned from, and what its loss counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from etude.core.frame import ACTION, ENVIRONMENT_STATE, STATE
from etude.core.spec import Spec
from etude.policies.bc import config as bc
from etude.policies.bc.model import build

torch.set_num_threads(1)
ARM = Spec(shape=(3,), names=("pan", "lift", "gripper"))
STATES = {STATE: ARM, ENVIRONMENT_STATE: Spec(shape=(2,))}


def told(config, **parts):
    torch.manual_seed(0)
    policy = build(config, STATES, ARM)
    batch = {STATE: torch.zeros(4, 3), ENVIRONMENT_STATE: torch.randn(4, 2)} | parts
    return policy, batch


def test_later_actions_are_learned_from_but_not_played():
    config = bc.Config(chunk_size=5, n_action_steps=2, look_ahead=(8, 20), hidden_dims=(16,))
    policy, batch = told(config)
    assert config.window.of(ACTION) == (0, 1, 2, 3, 4, 8, 20)
    assert policy.act(batch).shape == (4, 5, 3)
    assert policy.chunk.out_features == 7 * 3


def test_loss_is_the_chunks_error_plus_the_weighted_error_of_later_actions():
    config = bc.Config(chunk_size=2, n_action_steps=1, look_ahead=(6,), look_ahead_weight=0.25, hidden_dims=(16,))
    policy, batch = told(config)
    predicted = torch.cat([policy.act(batch), policy._told(batch)[:, 2:]], 1)
    batch[ACTION] = predicted + torch.tensor([1.0, 1.0, 4.0])[None, :, None]
    loss, parts = policy.loss(batch)
    assert parts["l1"].item() == pytest.approx(1.0, abs=1e-6)
    assert parts["ahead"].item() == pytest.approx(4.0, abs=1e-6)
    assert loss.item() == pytest.approx(1.0 + 0.25 * 4.0, abs=1e-6)


def test_what_lies_after_the_episodes_end_does_not_count():
    config = bc.Config(chunk_size=2, n_action_steps=1, look_ahead=(6,), hidden_dims=(16,))
    policy, batch = told(config)
    batch[ACTION] = policy._told(batch) + torch.tensor([0.0, 9.0, 9.0])[None, :, None]
    batch[f"{ACTION}_is_pad"] = torch.tensor([[False, True, True]]).expand(4, 3)
    loss, parts = policy.loss(batch)
    assert loss.item() == parts["ahead"].item() == 0


def test_the_place_of_a_thing_in_a_picture_reaches_the_chunk():
    cameras = {"observation.images.front": Spec(shape=(48, 64, 3), dtype="uint8")}
    torch.manual_seed(0)
    policy = build(bc.Config.tiny(), cameras, ARM).eval()
    picture = torch.zeros(1, 3, 48, 64)
    moved = picture.clone()
    picture[..., 8:16, 8:16] = moved[..., 32:40, 40:48] = 1
    key = next(iter(cameras))
    here, there = (policy.act({key: one}).detach().numpy() for one in (picture, moved))
    assert np.abs(here - there).max() > 1e-4


def test_without_cameras_it_is_told_where_things_are():
    policy, batch = told(bc.Config.states())
    assert not policy.eyes
    assert policy.act(batch).shape == (4, 16, 3)
