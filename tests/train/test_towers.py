"""Training a policy that sees through a vision model of transformers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import torch

from etude.policies import checkpoint
from etude.policies.seeing import settled
from etude.train.loop import train

transformers = pytest.importorskip("transformers")


@pytest.fixture
def tower(tmp_path):
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = transformers.AutoModel.from_config(transformers.Dinov2Config(**sizes, image_size=28, patch_size=14))
    model.save_pretrained(tmp_path / "tower")
    pictures = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.2, 0.1]}
    (tmp_path / "tower" / "preprocessor_config.json").write_text(json.dumps(pictures))
    return tmp_path / "tower"


@pytest.mark.parametrize("is_frozen", [True, False])
def test_a_run_begins_with_the_tower_and_goes_on_without_its_folder(config, tower, is_frozen):
    weights = transformers.AutoModel.from_pretrained(tower).state_dict()
    policy = replace(config.policy, vision_backbone=str(tower), freeze_vision=is_frozen)
    config = replace(config, policy=policy, steps=1)
    first = checkpoint.load(train(config))
    learned = first.policy.backbone.tower.state_dict()
    assert all(torch.equal(learned[name], value) for name, value in weights.items()) == is_frozen
    shutil.rmtree(tower)
    assert settled(first.config) is first.config
    last = train(replace(config, policy=first.config, steps=2), resume=True)
    assert checkpoint.load(last).origin.step == 2
    assert checkpoint.verify(last) == 0.0
