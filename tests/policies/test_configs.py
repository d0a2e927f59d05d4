"""What no policy can be built with is refused by its config, in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from etude.core.errors import ConfigError
from etude.core.spec import Spec
from etude.policies import policies

TRANSFORMER = {"denoiser": "transformer"}
RESNET_OF_BATCHES = {"vision_backbone": "resnet18", "pretrained_backbone_weights": Path("a.safetensors")}


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("act", {"dropout": 1.5}, "dropout should be at least 0 and below 1, got 1.5"),
        ("act", {"n_heads": 0}, "n_heads should be at least 1, got 0"),
        ("bc", {"n_action_steps": 40}, r"n_action_steps \(40\) must lie between 1 and chunk_size \(5\)"),
        ("bc", {"look_ahead": (4,)}, r"ticks after the chunk, 5 or more, got \[4\]"),
        ("bc", {"hidden_dims": ()}, r"at least one number above 0, got \[\]"),
        ("bc", {"dropout": 1.0}, "dropout should be at least 0 and below 1"),
        ("bc", {"look_ahead_weight": -1.0}, "look_ahead_weight should be at least 0"),
        ("diffusion", {"n_obs_steps": 0}, "n_obs_steps should be at least 1, got 0"),
        ("diffusion", {"num_train_timesteps": 0}, "num_train_timesteps should be at least 1, got 0"),
        ("diffusion", {"num_inference_steps": 0}, r"num_inference_steps \(0\) must lie between 1 and"),
        ("diffusion", {"down_dims": (100, 200)}, r"\[100, 200\] must be multiples of n_groups \(8\)"),
        ("diffusion", {"down_dims": ()}, "must be multiples of n_groups"),
        ("diffusion", {"down_dims": (12, 24), "n_groups": 4}, r"The first of down_dims \(12\)"),
        ("diffusion", {"kernel_size": 4}, r"kernel_size \(4\) must be odd"),
        ("diffusion", {"diffusion_step_embed_dim": 7}, r"diffusion_step_embed_dim \(7\) must be even"),
        ("diffusion", TRANSFORMER | {"n_head": 0}, "n_head should be at least 1, got 0"),
        ("diffusion", TRANSFORMER | {"p_drop_attn": 1.0}, "p_drop_attn should be at least 0 and below 1"),
        ("diffusion", TRANSFORMER | {"n_emb": 2, "n_head": 1}, "and at least 4"),
        ("flow", {"n_head": 0}, "n_head should be at least 1, got 0"),
        ("flow", {"timestep_sampling_alpha": -1.0, "timestep_sampling_beta": 1.0}, "should be above 0, got -1.0"),
        ("flow", {"prediction_type": "sample", "integration_method": "heun"}, "choose midpoint"),
        ("vqbet", {"gpt_n_head": 0}, "gpt_n_head should be at least 1, got 0"),
        ("vqbet", {"vqvae_n_embed": 0}, "vqvae_n_embed should be at least 1, got 0"),
        ("flow", RESNET_OF_BATCHES, "normalised by batches; set use_group_norm to false"),
        ("diffusion", RESNET_OF_BATCHES, "normalised by batches; set use_group_norm to false"),
    ],
)
def test_values_that_build_nothing_are_refused(kind, change, message):
    with pytest.raises(ConfigError, match=message):
        replace(policies.config(kind).tiny(), **change)


@pytest.mark.parametrize("kind", ["diffusion", "flow", "vqbet"])
def test_pictures_of_several_sizes_are_refused_by_what_brings_them_to_one(kind):
    sizes = {"front": (48, 64, 3), "wrist": (60, 80, 3)}
    specs = {f"observation.images.{view}": Spec(shape=shape, dtype="uint8") for view, shape in sizes.items()}
    specs["observation.state"] = Spec(shape=(3,))
    config = replace(policies.config(kind).tiny(), image_size=None)
    with pytest.raises(ConfigError, match=r"several sizes \(48 x 64, 60 x 80\); bring them to one by image_size"):
        policies.build(config, specs, Spec(shape=(3,)))
    policies.build(replace(config, image_size=(48, 64)), specs, Spec(shape=(3,)))
