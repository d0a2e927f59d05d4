"""Diffusion Policy against LeRobot's own answers, stored in a golden file, and what is ours alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.spec import Spec
from etude.policies import policies
from etude.policies.diffusion.config import Config
from etude.policies.diffusion.lerobot import read_config, rename
from etude.policies.seeing import centre_crop, random_crop
from etude.policies.weights import fill


@pytest.fixture(scope="module")
def golden(answers_of):
    return answers_of("diffusion")


def like_lerobot(golden, variant):
    make, answers = golden
    config = Config(**make["VARIANTS"][variant])
    observation = {"observation.state": Spec(shape=(make["STATE"],))}
    observation |= {key: Spec(shape=(*make["SIZE"], 3), dtype="uint8") for key in make["CAMERAS"]}
    model = policies.build(config, observation, Spec(shape=(make["ACTION"],)))
    ours = model.state_dict()
    named = {}
    for theirs in answers[f"{variant}.names"].tolist():
        (name,) = rename({f"diffusion.{theirs}": torch.empty(0)})
        shape = tuple(ours[name].shape)
        is_drawn = ours[name].is_floating_point() and not theirs.endswith("pos_grid")
        named[name] = torch.from_numpy(make["weight"](theirs, shape)) if is_drawn else ours[name]
    fill(model, named, Path("made up"))
    batch = {key: torch.from_numpy(value) for key, value in make["batch"](config.n_obs_steps).items()}
    return model.eval(), batch, answers


@pytest.mark.parametrize("variant", ["published", "ddim", "separate"])
class TestGolden:
    def test_the_chunk_is_lerobots(self, golden, variant):
        model, batch, answers = like_lerobot(golden, variant)
        make = golden[0]
        shape = (make["BATCH"], model.config.horizon, make["ACTION"])
        torch.manual_seed(0)
        with torch.no_grad():
            chunk = model.act(batch | {"noise": torch.from_numpy(make["drawn"]("noise", shape))})
        wanted = answers[f"{variant}.act"]
        np.testing.assert_allclose(chunk[:, : wanted.shape[1]].numpy(), wanted, atol=1e-5)

    def test_the_loss_is_lerobots(self, golden, variant):
        model, batch, answers = like_lerobot(golden, variant)
        torch.manual_seed(0)
        loss, _ = model.loss(batch)
        assert loss.item() == pytest.approx(float(answers[f"{variant}.loss"]), abs=1e-5)


def test_lerobots_config_is_read():
    stored = {
        "type": "diffusion",
        "n_obs_steps": 2,
        "horizon": 64,
        "n_action_steps": 32,
        "crop_ratio": 0.9,
        "resize_shape": [100, 120],
        "crop_shape": [90, 108],
        "drop_n_last_frames": 7,
        "optimizer_betas": [0.95, 0.999],
        "scheduler_name": "cosine",
        "down_dims": [512, 1024, 2048],
    }
    config = read_config(stored)
    assert (config.horizon, config.n_action_steps) == (Config.lerobot().horizon, Config.lerobot().n_action_steps)
    assert config.crop_shape == (90, 108)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizon": 18}, "multiple of 4"),
        ({"n_action_steps": 16}, "between 1 and 15"),
        ({"num_inference_steps": 101}, "num_inference_steps"),
    ],
)
def test_values_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        Config(**change)


def test_a_state_and_something_else_are_needed():
    state = Spec(shape=(3,))
    with pytest.raises(ConfigError, match="needs a camera"):
        Config().observes({"observation.state": state})
    with pytest.raises(ConfigError, match=r"needs 'observation\.state'"):
        Config().observes({"observation.environment_state": state})


def test_without_pictures_the_environment_state_is_seen():
    specs = {"observation.state": Spec(shape=(3,)), "observation.environment_state": Spec(shape=(4,))}
    config = Config(down_dims=(16, 32), num_train_timesteps=4)
    model = policies.build(config, config.observes(specs), Spec(shape=(3,)))
    batch = {"observation.state": torch.zeros(2, 2, 3), "observation.environment_state": torch.zeros(2, 2, 4)}
    before = model.act(batch | {"noise": torch.ones(2, 16, 3)})
    batch["observation.environment_state"] = torch.ones(2, 2, 4)
    torch.manual_seed(0)
    assert before.shape == (2, 15, 3)
    assert not torch.equal(before, model.act(batch | {"noise": torch.ones(2, 16, 3)}))


PRESETS = {
    name: getattr(Config, name)()
    for name in ("lerobot", "lerobot_old", "states", "ddim", "transformer", "transformer_ddim", "small", "tiny")
}
TINY_TRANSFORMER = replace(Config.tiny(), denoiser="transformer", n_layer=2, n_head=2, n_emb=16, horizon=6)
ARM = {"observation.state": Spec(shape=(3,)), "observation.images.top": Spec(shape=(60, 80, 3), dtype="uint8")}


def pictures(config, batch=2):
    torch.manual_seed(1)
    size = config.image_size or (60, 80)
    seen = {"observation.state": torch.randn(batch, 2, 3), "observation.images.top": torch.rand(batch, 2, 3, *size)}
    action = torch.rand(batch, config.horizon, 3) * 2 - 1
    return seen | {"action": action, "action_is_pad": torch.zeros(batch, config.horizon, dtype=torch.bool)}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_differ_from_the_published_policy_where_they_say(name):
    config = PRESETS[name]
    assert config != Config()
    assert config.drop_n_last_frames <= config.horizon
    assert not (config.denoiser == "transformer" and config.optimizer_betas != (0.9, 0.95))


class TestTransformer:
    def test_it_learns_and_acts(self):
        model = policies.build(TINY_TRANSFORMER, ARM, Spec(shape=(3,)))
        batch = pictures(TINY_TRANSFORMER)
        loss, _ = model.loss(batch)
        loss.backward()
        assert all(value.grad is not None for value in model.parameters())
        with torch.no_grad():
            assert model.eval().act(batch).shape == (2, 5, 3)

    def test_only_its_matrices_decay_much(self):
        model = policies.build(TINY_TRANSFORMER, ARM, Spec(shape=(3,)))
        decays = {id(value): group["weight_decay"] for group in model.parameter_groups() for value in group["params"]}
        told = {name: decays[id(value)] for name, value in model.named_parameters()}
        assert told["transformer.decoder.layers.0.linear1.weight"] == 1e-3
        assert told["transformer.decoder.layers.0.linear1.bias"] == 0
        assert told["transformer.pos_emb"] == 0
        assert told["rgb_encoder.out.weight"] == 1e-6

    def test_a_width_that_heads_cannot_share_is_refused(self):
        with pytest.raises(ConfigError, match="n_emb"):
            replace(TINY_TRANSFORMER, n_emb=18, n_head=4)


class TestPictures:
    def test_training_and_acting_see_the_same(self):
        config = replace(Config.tiny(), crop_shape=None)
        (resize,) = config.reframe(ARM, Spec(shape=(3,))).inputs
        frame = {"observation.images.top": np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)}
        assert resize(frame)["observation.images.top"].shape == (48, 64, 3)
        assert resize.size == config.image_size, "what datasets resize to while they decode"

    def test_a_lerobot_size_is_left_to_the_network(self):
        config = replace(Config.tiny(), image_size=None, resize_shape=(48, 64))
        assert config.reframe(ARM, Spec(shape=(3,))).inputs == ()
        assert config.image_size is None, "datasets give whole pictures"
        model = policies.build(config, ARM, Spec(shape=(3,)))
        assert model.loss(pictures(config))[0].isfinite()

    def test_a_crop_that_does_not_fit_is_refused(self):
        with pytest.raises(ConfigError, match="does not fit in pictures of"):
            policies.build(replace(Config.tiny(), crop_shape=(49, 56)), ARM, Spec(shape=(3,)))

    def test_each_camera_may_have_its_own_encoder(self):
        specs = ARM | {"observation.images.wrist": ARM["observation.images.top"]}
        config = replace(Config.tiny(), use_separate_rgb_encoder_per_camera=True)
        model = policies.build(config, specs, Spec(shape=(3,)))
        assert {"rgb_encoder.0.out.weight", "rgb_encoder.1.out.weight"} <= model.state_dict().keys()


def test_half_precision_acts_nearly_the_same(monkeypatch):
    monkeypatch.setattr("etude.nn.time_conv.LEAST_WEIGHTS", 1)
    chunks = []
    for is_half in (False, True):
        torch.manual_seed(0)
        config = replace(Config.tiny(), half_weights=is_half)
        model = policies.build(config, ARM, Spec(shape=(3,))).eval()
        with torch.inference_mode():
            chunks.append(model.act(pictures(config, batch=1) | {"noise": torch.ones(1, config.horizon, 3)}))
    assert not torch.equal(*chunks)
    torch.testing.assert_close(*chunks, atol=5e-3, rtol=5e-3)


def test_crops_by_hand():
    picture = torch.arange(30.0).reshape(1, 1, 5, 6)
    assert centre_crop(picture, (3, 2)).flatten().tolist() == [8, 9, 14, 15, 20, 21]
    torch.manual_seed(0)
    seen = {float(random_crop(picture, (3, 2))[0, 0, 0, 0]) for _ in range(300)}
    assert seen == {row * 6.0 + column for row in range(3) for column in range(5)}


def test_ddpm_too_repeats_where_all_its_noise_is_given():
    config = replace(Config.tiny(), noise_scheduler_type="DDPM", num_inference_steps=None)
    observation = {"observation.state": Spec(shape=(2,)), "observation.environment_state": Spec(shape=(3,))}
    model = policies.build(config, observation, Spec(shape=(2,))).eval()
    assert config.num_fresh_noise == config.horizon * (config.num_train_timesteps - 1)
    batch = {key: torch.randn(1, config.n_obs_steps, *spec.shape) for key, spec in observation.items()}
    batch["noise"] = torch.randn(1, config.num_noise + config.num_fresh_noise, 2)
    with torch.no_grad():
        torch.testing.assert_close(model.act(batch), model.act(batch), atol=0, rtol=0)
