"""Diffusion Policy against LeRobot's own answers, stored in a golden file, and what is ours alone."""

from __future__ import annotations

import runpy
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

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def golden():
    make = runpy.run_path(str(GOLDEN / "make_diffusion.py"))
    with np.load(GOLDEN / "diffusion.npz") as stored:
        return make, dict(stored)


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


def test_crops_by_hand():
    picture = torch.arange(30.0).reshape(1, 1, 5, 6)
    assert centre_crop(picture, (3, 2)).flatten().tolist() == [8, 9, 14, 15, 20, 21]
    torch.manual_seed(0)
    seen = {float(random_crop(picture, (3, 2))[0, 0, 0, 0]) for _ in range(300)}
    assert seen == {row * 6.0 + column for row in range(3) for column in range(5)}
