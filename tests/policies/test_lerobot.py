"""Checkpoint folders in LeRobot's layouts, written here from known weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from etude.core.errors import CheckpointError
from etude.core.spec import Spec
from etude.policies import checkpoint, policies
from etude.policies.act.config import Config
from etude.policies.weights import write_weights

CAMERA = "observation.images.front"
STATE, ACTION = Spec(shape=(3,)), Spec(shape=(2,))
POLICY = {
    "chunk_size": 4, "n_action_steps": 3, "vision_backbone": "resnet18", "pre_norm": False, "dim_model": 16,
    "n_heads": 2, "dim_feedforward": 32, "feedforward_activation": "relu", "n_encoder_layers": 1,
    "n_decoder_layers": 1, "use_vae": True, "latent_dim": 4, "n_vae_encoder_layers": 1,
    "temporal_ensemble_coeff": None, "dropout": 0.1, "kl_weight": 10.0, "optimizer_lr": 1e-5,
    "optimizer_weight_decay": 1e-4, "optimizer_lr_backbone": 1e-5,
}  # fmt: skip
CONFIG = POLICY | {
    "type": "act", "n_obs_steps": 1, "device": "cuda", "use_amp": False, "push_to_hub": True, "repo_id": "me/act",
    "private": None, "tags": None, "license": None, "replace_final_stride_with_dilation": 0,
    "pretrained_backbone_weights": "ResNet18_Weights.IMAGENET1K_V1",
    "input_features": {
        "observation.state": {"type": "STATE", "shape": [3]},
        CAMERA: {"type": "VISUAL", "shape": [3, 40, 32]},
    },
    "output_features": {"action": {"type": "ACTION", "shape": [2]}},
    "normalization_mapping": {"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ACTION": "MIN_MAX"},
}  # fmt: skip
STATS = {
    "observation.state.mean": [1.0, 2.0, 3.0],
    "observation.state.std": [1.0, 2.0, 4.0],
    f"{CAMERA}.mean": [[[0.5]], [[0.25]], [[0.125]]],
    f"{CAMERA}.std": [[[0.5]], [[0.5]], [[0.5]]],
    "action.min": [-1.0, 0.0],
    "action.max": [3.0, 10.0],
    "timestamp.mean": [0.5],
}
STEPS = [
    {"registry_name": "rename_observations_processor", "config": {"rename_map": {}}},
    {"registry_name": "to_batch_processor", "config": {}},
    {"registry_name": "device_processor", "config": {"device": "cuda", "float_dtype": None}},
]


def _tensors():
    return {name: torch.tensor(value) for name, value in STATS.items()}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    specs = {"observation.state": STATE, CAMERA: Spec(shape=(40, 32, 3), dtype="uint8")}
    return policies.build(Config(**POLICY), specs, ACTION).eval()


def _write_common(folder, network, extra=None):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    weights = {f"model.{name}": value for name, value in network.state_dict().items()}
    write_weights(folder / "model.safetensors", weights | (extra or {}))
    return folder


def _write_side(folder, side, steps):
    (folder / f"policy_{side}processor.json").write_text(
        json.dumps({"name": f"policy_{side}processor", "steps": steps})
    )


@pytest.fixture
def new(tmp_path, network):
    folder = _write_common(tmp_path / "new" / "pretrained_model", network)
    files = [f"policy_preprocessor_step_3_{word}.safetensors" for word in ("normalizer_processor", "unnormalizer")]
    for file in files:
        write_weights(folder / file, _tensors())
    config = {"eps": 1e-8, "features": {}, "norm_map": CONFIG["normalization_mapping"]}
    pre = {"registry_name": "normalizer_processor", "config": config, "state_file": files[0]}
    post = {"registry_name": "unnormalizer_processor", "config": config, "state_file": files[1]}
    _write_side(folder, "pre", [*STEPS, pre])
    _write_side(folder, "post", [post, STEPS[2]])
    return folder


@pytest.fixture
def old(tmp_path, network):
    buffers = {}
    for name, value in _tensors().items():
        key, _, statistic = name.rpartition(".")
        sides = ("normalize_targets", "unnormalize_outputs") if key == "action" else ("normalize_inputs",)
        buffers |= {f"{side}.buffer_{key.replace('.', '_')}.{statistic}": value.clone() for side in sides}
    del buffers["normalize_inputs.buffer_timestamp.mean"]
    return _write_common(tmp_path / "old", network, buffers)


@pytest.mark.parametrize("layout", ["new", "old"])
def test_it_acts_as_lerobot_would(layout, request, network):
    loaded = checkpoint.load(request.getfixturevalue(layout))
    random = np.random.default_rng(0)
    frame = {
        "observation.state": random.standard_normal(3).astype(np.float32),
        CAMERA: random.integers(0, 256, (40, 32, 3), dtype=np.uint8),
    }
    state = (frame["observation.state"] - [1, 2, 3]) / [1, 2, 4]
    picture = (frame[CAMERA].transpose(2, 0, 1) / 255 - np.array(STATS[f"{CAMERA}.mean"])) / 0.5
    batch = {"observation.state": torch.tensor(state[None]).float(), CAMERA: torch.tensor(picture[None]).float()}
    with torch.no_grad():
        chunk = network.act(batch)[0].numpy()
    np.testing.assert_allclose(loaded.act(frame), (chunk + 1) / 2 * [4, 10] + [-1, 0], rtol=1e-5, atol=1e-5)
    assert loaded.n_action_steps == 3
    assert loaded.observation[CAMERA] == Spec(shape=(40, 32, 3), dtype="uint8")


def test_it_can_be_saved_as_ours(new, tmp_path):
    loaded = checkpoint.load(new.parent)
    checkpoint.save(tmp_path / "ours", loaded)
    assert checkpoint.verify(tmp_path / "ours") == 0.0


def test_lerobots_holds_no_golden_pair(new):
    with pytest.raises(CheckpointError, match="no golden"):
        checkpoint.verify(new)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "difusion"}, "Did you mean 'diffusion'"),
        ({"use_peft": True}, "adapter"),
        ({"n_obs_steps": 2}, "n_obs_steps = 2"),
        ({"replace_final_stride_with_dilation": 1}, "replace_final_stride_with_dilation"),
        ({"dim_modle": 3}, "Did you mean 'dim_model'"),
        ({"output_features": {}}, "too old"),
        ({"normalization_mapping": {"STATE": "CLIP"}}, "CLIP"),
        ({"input_features": {"observation.state": {"shape": [3]}}}, "type"),
    ],
)
def test_what_cannot_be_carried_over_is_refused(old, change, message):
    (old / "config.json").write_text(json.dumps(CONFIG | change))
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(old)


@pytest.mark.parametrize(
    "step",
    [
        {"registry_name": "tokenizer_processor", "config": {}},
        {"class": "evil.module.Step", "config": {}},
    ],
)
def test_an_unknown_step_is_refused(new, step):
    stored = json.loads((new / "policy_preprocessor.json").read_text())
    _write_side(new, "pre", [step, *stored["steps"]])
    with pytest.raises(CheckpointError, match="cannot be carried over"):
        checkpoint.load(new)


def test_its_temporal_ensembling_is_how_the_policy_is_played(new):
    assert checkpoint.load(new).temporal_ensemble_coeff is None
    ensembling = CONFIG | {"temporal_ensemble_coeff": 0.01, "n_action_steps": 1}
    (new / "config.json").write_text(json.dumps(ensembling))
    assert checkpoint.load(new).temporal_ensemble_coeff == 0.01
