"""Every policy that LeRobot has goes there and comes back the same; LeRobot itself is asked in `tests/peer`."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
from functools import partial

import numpy as np
import pytest
import torch
from safetensors import safe_open

from etude.core.errors import ConfigError
from etude.core.frame import example
from etude.core.spec import Spec
from etude.policies import checkpoint, lerobot, policies
from etude.policies.loaded import Origin
from etude.transforms.normalize import Mode

ARM = Spec(shape=(3,), names=("pan", "lift", "gripper"), unit="deg")
CAMERA = "observation.images.front"
SPECS = {"observation.state": ARM, CAMERA: Spec(shape=(64, 64, 3), dtype="uint8")}
ORIGIN = Origin(fps=30, robot_type="so_follower", tasks=("Stack",), step=7, dataset="mine")


def plugin(name):
    return importlib.import_module(f"etude.policies.{name}.lerobot")


def tiny(name):
    """Its smallest size that LeRobot can express."""
    start = policies.config(name).tiny()
    return dataclasses.replace(start, **plugin(name).ALIEN, vision_backbone="resnet18")


EXCHANGED = [name for name in policies.names() if importlib.util.find_spec(f"etude.policies.{name}.lerobot")]


@pytest.fixture
def loaded_policy(untrained):
    return partial(untrained, observation=SPECS, action=ARM, origin=ORIGIN)


def frame_for(loaded):
    random = np.random.default_rng(1)
    return example(loaded.observation, random) | loaded.example_noise(random)


@pytest.fixture(params=EXCHANGED)
def name(request):
    return request.param


class TestEveryPolicy:
    def test_it_comes_back_as_it_went(self, name, tmp_path, loaded_policy):
        loaded = loaded_policy(tiny(name))
        lerobot.export(loaded, tmp_path / "out")
        again = checkpoint.load(tmp_path / "out")
        frame = frame_for(loaded)
        np.testing.assert_allclose(again.act(frame), loaded.act(frame), rtol=1e-6, atol=1e-6)
        assert (again.observation, again.action, again.origin) == (SPECS, ARM, ORIGIN)
        own, back = loaded.policy.state_dict(), again.policy.state_dict()
        assert all(torch.equal(back[key], value) for key, value in own.items())

    def test_names_it_is_fed_by_go_along(self, name, tmp_path, loaded_policy):
        loaded = loaded_policy(tiny(name)).fed_by({"observation.images.top": CAMERA})
        lerobot.export(loaded, tmp_path / "out")
        again = checkpoint.load(tmp_path / "out")
        frame = frame_for(loaded)
        assert "observation.images.top" in frame
        np.testing.assert_allclose(again.act(frame), loaded.act(frame), rtol=1e-6, atol=1e-6)

    def test_the_files_are_lerobots(self, name, tmp_path, loaded_policy):
        lerobot.export(loaded_policy(tiny(name)), tmp_path / "out")
        files = {path.name for path in (tmp_path / "out").iterdir()}
        assert files == {
            "config.json", "model.safetensors", "etude.json", "README.md",
            "policy_preprocessor.json", "policy_preprocessor_step_3_normalizer_processor.safetensors",
            "policy_postprocessor.json", "policy_postprocessor_step_0_unnormalizer_processor.safetensors",
        }  # fmt: skip
        with safe_open(tmp_path / "out" / "model.safetensors", "pt") as weights:
            assert weights.metadata() == {"format": "pt"}
        config = json.loads((tmp_path / "out" / "config.json").read_text())
        assert config["type"] == name
        assert config["input_features"][CAMERA] == {"type": "VISUAL", "shape": [3, 64, 64]}

    def test_what_is_ours_alone_is_refused_by_name(self, name, tmp_path, loaded_policy):
        with pytest.raises(ConfigError, match=r"LeRobot"):
            lerobot.export(loaded_policy(policies.config(name).tiny()), tmp_path / "out")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"use_relative_actions": True}, "use_relative_actions = True"),
        ({"image_size": (64, 64)}, r"image_size = \[64, 64\]"),
        ({"image_tokens": "flat"}, "image_tokens = 'flat'"),
        ({"vision_backbone": "small"}, "vision_backbone = 'small'"),
        ({"temporal_ensemble_coeff": 0.01}, "n_action_steps is 2"),
    ],
)
def test_what_lerobot_cannot_express_is_refused(change, message, tmp_path, loaded_policy):
    loaded = loaded_policy(dataclasses.replace(tiny("act"), **change))
    with pytest.raises(ConfigError, match=message):
        lerobot.export(loaded, tmp_path / "out")


def test_more_cameras_than_lerobot_looks_through_are_refused(tmp_path, loaded_policy):
    loaded = loaded_policy(tiny("vqbet"))
    two = dataclasses.replace(loaded, observation={**SPECS, "observation.images.wrist": SPECS[CAMERA]})
    with pytest.raises(ConfigError, match="1 camera at most, this one through 2"):
        lerobot.export(two, tmp_path / "out")


def test_two_ways_to_normalise_one_kind_are_refused(tmp_path, loaded_policy):
    loaded = loaded_policy(tiny("act"))
    into = loaded.pipeline.inputs[1]
    changed = dataclasses.replace(into, modes={**into.modes, "observation.state": Mode.MIN_MAX})
    inputs = (loaded.pipeline.inputs[0], changed)
    pipeline = dataclasses.replace(loaded.pipeline, inputs=inputs)
    with pytest.raises(ConfigError, match=r"'observation\.state' is by MIN_MAX"):
        lerobot.export(dataclasses.replace(loaded, pipeline=pipeline), tmp_path / "out")


def test_a_policy_that_lerobot_does_not_have_is_refused(tmp_path, loaded_policy):
    if "flow" not in policies.names():
        pytest.skip("there is no such policy yet")
    from etude.policies.flow.config import Config

    with pytest.raises(ConfigError, match="LeRobot has no policy like 'flow'"):
        lerobot.export(loaded_policy(Config.tiny()), tmp_path / "out")
