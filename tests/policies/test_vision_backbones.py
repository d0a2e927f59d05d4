"""Policies that see through a vision model of transformers, made of a tiny config and saved to a folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.frame import example
from etude.core.spec import Spec
from etude.policies import checkpoint, policies
from etude.policies.seeing import settled

transformers = pytest.importorskip("transformers")

ARM = Spec(shape=(3,))
CAMERA = "observation.images.front"
SPECS = {"observation.state": ARM, CAMERA: Spec(shape=(48, 64, 3), dtype="uint8")}
SEEING = [name for name in policies.names() if hasattr(policies.config(name).tiny(), "vision_backbone")]


@pytest.fixture(scope="module")
def tower(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tower"
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = transformers.AutoModel.from_config(transformers.Dinov2Config(**sizes, image_size=28, patch_size=14))
    model.save_pretrained(folder)
    pictures = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.2, 0.1]}
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    return folder, model


@pytest.fixture
def seeing_through(untrained):
    def build(name, folder, **change):
        config = settled(replace(policies.config(name).tiny(), vision_backbone=str(folder), **change))
        return untrained(config, SPECS, ARM)

    return build


@pytest.mark.parametrize("name", SEEING)
class TestEveryPolicyThatSees:
    def test_it_starts_from_the_towers_weights(self, tower, name, seeing_through):
        folder, model = tower
        loaded = seeing_through(name, folder)
        loaded.policy.begin_training()
        read = {
            key.partition("tower.")[2]: value for key, value in loaded.policy.state_dict().items() if "tower" in key
        }
        assert read.keys() == model.state_dict().keys()
        assert all(torch.equal(value, read[key]) for key, value in model.state_dict().items())

    def test_a_checkpoint_needs_no_tower_from_elsewhere(self, tower, name, tmp_path, seeing_through):
        moved = shutil.copytree(tower[0], tmp_path / "tower")
        loaded = seeing_through(name, moved)
        checkpoint.save(tmp_path / "saved", loaded)
        shutil.rmtree(moved)
        again = checkpoint.load(tmp_path / "saved")
        frame = example(SPECS, np.random.default_rng(1)) | loaded.example_noise(np.random.default_rng(1))
        np.testing.assert_array_equal(loaded.act(frame), again.act(frame))

    def test_the_tower_normalises_pictures_and_nothing_else_does(self, tower, name, seeing_through):
        loaded = seeing_through(name, tower[0])
        size = loaded.config.image_size or (48, 64)
        white = {CAMERA: np.full((*size, 3), 255, np.uint8), "observation.state": np.zeros(3, np.float32)}
        seen = loaded.pipeline.encode(white)[CAMERA]
        np.testing.assert_array_equal(seen, np.ones((3, *size), np.float32))

    def test_a_frozen_tower_gets_no_gradient(self, tower, name, seeing_through):
        loaded = seeing_through(name, tower[0], freeze_vision=True)
        towers = [value for key, value in loaded.policy.named_parameters() if "tower." in key]
        assert towers
        assert not any(value.requires_grad for value in towers)


@pytest.mark.parametrize("name", SEEING)
def test_a_backbone_that_does_not_exist_is_refused(name):
    with pytest.raises(ConfigError, match=r"vision_backbone should be one of .*; got 'resnet81'"):
        replace(policies.config(name).tiny(), vision_backbone="resnet81")
