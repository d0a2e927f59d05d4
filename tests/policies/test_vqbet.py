"""VQ-BeT against LeRobot's own answers, stored in a golden file, and what is ours alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies import policies
from etude.policies.loaded import LoadedPolicy
from etude.policies.vqbet.config import Config
from etude.policies.vqbet.lerobot import read_config, rename, rename_back, write_config
from etude.policies.weights import fill

FIXED = ("pos_grid", "initted", "discretized", "freeze_codebook", "num_batches_tracked", "_indices", "attn.bias")
VARIANTS = ["published", "in_turn"]


@pytest.fixture(scope="module")
def golden(answers_of):
    return answers_of("vqbet")


def like_lerobot(golden, variant):
    """Our policy with LeRobot's weights, a batch in the robot's units, and LeRobot's answers."""
    make, answers = golden
    config = Config(**make["VARIANTS"][variant])
    observation = {"observation.state": Spec(shape=(make["STATE"],))}
    observation |= {make["CAMERA"]: Spec(shape=(*make["SIZE"], 3), dtype="uint8")}
    action = Spec(shape=(make["ACTION"],))
    model = policies.build(config, observation, action)
    theirs = rename_back(model.state_dict())
    assert sorted(theirs) == answers[f"{variant}.names"].tolist()
    made = {
        name: value if name.endswith(FIXED) else torch.from_numpy(make["weight"](name, tuple(value.shape)))
        for name, value in theirs.items()
    }
    fill(model, rename(made), Path("made up"))
    nothing = np.zeros(1)
    stats = {
        key: Stats(mean=nothing, std=nothing, min=low_high["min"], max=low_high["max"], count=0)
        for key, low_high in make["bounds"]().items()
    }
    loaded = LoadedPolicy(
        policy=model,
        config=config,
        pipeline=config.pipeline(stats, observation, action),
        observation=observation,
        action=action,
    )
    return (
        loaded,
        make["batch"](make["VARIANTS"][variant]),
        {name.removeprefix(f"{variant}."): value for name, value in answers.items()},
    )


def encoded(loaded, batch):
    return loaded.pipeline.encode({key: torch.from_numpy(value) for key, value in batch.items()})


@pytest.mark.parametrize("variant", VARIANTS)
class TestGolden:
    def test_the_chunk_is_lerobots(self, golden, variant):
        loaded, batch, answers = like_lerobot(golden, variant)
        chunk = loaded.act_batch({key: batch[key] for key in loaded.observation} | {"noise": golden[0]["noise"]()})
        np.testing.assert_allclose(chunk, answers["act"], rtol=1e-5, atol=1e-5 * np.abs(answers["act"]).max())

    def test_the_loss_of_choosing_is_lerobots(self, golden, variant):
        loaded, batch, answers = like_lerobot(golden, variant)
        loaded.policy.action_head.vqvae_model.discretized.fill_(value=True)
        torch.manual_seed(0)
        loss, parts = loaded.policy.train().loss(encoded(loaded, batch))
        assert loss.item() == pytest.approx(float(answers["loss"]), rel=1e-5)
        assert {"offset_loss", "classification_loss"} < set(parts)

    def test_the_loss_of_codes_is_lerobots_and_the_codebooks_follow(self, golden, variant):
        loaded, batch, answers = like_lerobot(golden, variant)
        loaded.policy.train()
        losses = [loaded.policy.loss(encoded(loaded, batch))[0].item() for _ in range(golden[0]["UPDATES"])]
        np.testing.assert_allclose(losses, answers["codes_loss"], rtol=1e-5)
        books = torch.cat([book.embed for book in loaded.policy.action_head.vqvae_model.vq_layer.layers])
        np.testing.assert_allclose(books.numpy(), answers["codebooks"], rtol=1e-4, atol=1e-5)


SPECS = {
    "observation.state": Spec(shape=(3,)),
    "observation.environment_state": Spec(shape=(4,)),
    "observation.images.front": Spec(shape=(48, 64, 3), dtype="uint8"),
    "observation.images.wrist": Spec(shape=(48, 64, 3), dtype="uint8"),
}
ARM = Spec(shape=(3,))


def made(keys=tuple(SPECS), **change):
    torch.manual_seed(0)
    config = dataclasses.replace(Config.tiny(), **change)
    return policies.build(config, config.observes({key: SPECS[key] for key in keys}), ARM)


def frames(model, keys=tuple(SPECS)):
    random, length = torch.Generator().manual_seed(1), model.config.n_obs_steps
    shapes = {key: (3, 48, 64) if SPECS[key].is_image else SPECS[key].shape for key in keys}
    batch = {key: torch.rand(2, length, *shape, generator=random) for key, shape in shapes.items()}
    num_actions = len(model.config.window.offsets[ACTION])
    return batch | {ACTION: torch.rand(2, num_actions, 3, generator=random), "noise": torch.zeros(2, 2, 3)}


def test_what_was_seen_at_any_time_matters_and_what_comes_ahead_does_not():
    model = made().eval()
    batch = frames(model)
    before = model.act(batch)
    for key in SPECS:
        changed = batch | {key: batch[key].clone()}
        changed[key][:, 0] += 0.5
        assert not torch.equal(model.act(changed), before), key
    assert torch.equal(model.act(batch | {ACTION: batch[ACTION] + 1}), before)


def test_the_first_updates_learn_codes_only_and_all_others_leave_them():
    model = made(("observation.state", "observation.environment_state"))
    batch = frames(model, ("observation.state", "observation.environment_state"))
    optimizer = torch.optim.AdamW(model.parameter_groups())
    codes = model.action_head.vqvae_model
    for update in range(7):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        loss, parts = model.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
        is_of_codes = {name.startswith("action_head.vqvae_model") for name in changed}
        assert is_of_codes == {update < model.config.n_vqvae_training_steps}
        assert ("offset_loss" in parts) == (update >= model.config.n_vqvae_training_steps)
    assert codes.discretized
    assert codes.optimized_steps == model.config.n_vqvae_training_steps


def test_looking_at_the_loss_counts_no_update():
    model = made(("observation.state", "observation.environment_state")).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.loss(frames(model, ("observation.state", "observation.environment_state")))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_noise_decides_which_codes_are_drawn():
    model = made(bet_softmax_temperature=5.0).eval()
    batch = frames(model)
    low, high = (model.act(batch | {"noise": torch.full((2, 2, 3), value)}) for value in (-9.0, 9.0))
    assert not torch.equal(low, high)
    first = model.act(batch | {"noise": torch.full((2, 2, 3), -9.0)})
    assert torch.equal(low, first)
    books = model.action_head.vqvae_model.decode(torch.tensor([[0, 0]]))
    assert books.shape == (1, 3, 3)


def test_groups_have_their_own_rates_and_decays():
    config = Config.tiny()
    rest, codes, kept = made().parameter_groups()
    assert (rest["lr"], rest["weight_decay"], rest["betas"]) == (config.optimizer_lr, 1e-6, (0.95, 0.999))
    assert (codes["lr"], codes["weight_decay"]) == (config.optimizer_vqvae_lr, 1e-4)
    assert (kept["lr"], kept["weight_decay"]) == (config.optimizer_lr, 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gpt_n_head": 7}, "multiple of gpt_n_head"),
        ({"action_chunk_size": 0}, "action_chunk_size should be at least 1"),
        ({"bet_softmax_temperature": 0.0}, "bet_softmax_temperature must be above 0"),
        ({"pretrained_backbone_weights": Path("a.safetensors")}, "use_group_norm to false"),
    ],
)
def test_values_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        Config(**change)


def test_more_tokens_than_positions_are_refused():
    with pytest.raises(ConfigError, match=r"gpt_block_size \(16\) must be at least 26"):
        dataclasses.replace(Config.tiny(), n_obs_steps=5).observes(SPECS)


def test_lerobots_config_is_read_and_written():
    stored = {
        "type": "vqbet",
        "n_obs_steps": 5,
        "crop_shape": [96, 96],
        "mlp_hidden_dim": 1024,
        "use_group_norm": False,
        "vqvae_n_embed": 32,
        "optimizer_betas": [0.95, 0.999],
        "scheduler_warmup_steps": 500,
    }
    config = read_config(stored)
    assert (config.crop_shape, config.vqvae_n_embed) == ((96, 96), 32)
    assert read_config({"type": "vqbet"} | write_config(config)) == config


@pytest.mark.parametrize(
    "change", [{"image_size": (96, 96)}, {"vision_backbone": "small"}, {"use_relative_actions": True}]
)
def test_what_lerobot_cannot_express_is_not_written(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        write_config(Config(**change))


def test_relative_actions_are_told_from_the_last_state():
    config = dataclasses.replace(Config.tiny(), use_relative_actions=True)
    arm = Spec(shape=(2,), names=("pan", "gripper"))
    pipeline = config.reframe({"observation.state": arm}, arm)
    state = np.array([[[1.0, 1.0], [5.0, 5.0]]], np.float32)
    action = np.full((1, 3, 2), 7.0, np.float32)
    told = pipeline.encode({"observation.state": state, "action": action})["action"]
    assert told[0, 0].tolist() == [2.0, 7.0]
    np.testing.assert_array_equal(pipeline.decode({"observation.state": state}, told), action)
