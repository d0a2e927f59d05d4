"""LeRobot itself loads what Etude exported, strictly, and acts the same. Slow; skipped where there is no LeRobot."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.core.frame import ACTION, example
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies import checkpoint, lerobot, policies
from etude.policies.loaded import LoadedPolicy
from etude.transforms.normalize import Mode

pytestmark = pytest.mark.slow

CAMERAS = ("observation.images.front", "observation.images.wrist")
STATE, ACT = Spec(shape=(5,)), Spec(shape=(7,))
SPECS = {"observation.state": STATE, **dict.fromkeys(CAMERAS, Spec(shape=(64, 96, 3), dtype="uint8"))}
ONE_CAMERA = {"vqbet"}
"""Policies that see one picture, in LeRobot."""
PEER = "peer_policies.py"
MIXED = {"VISUAL": Mode.IDENTITY, "STATE": Mode.QUANTILES, "ACTION": Mode.MIN_MAX}
CHANGES = {
    "act": {
        "as published": {},
        "otherwise": {"pre_norm": True, "feedforward_activation": "gelu", "use_vae": False, "n_decoder_layers": 2,
                      "normalization_mapping": MIXED},
    },
    "diffusion": {
        "as published": {"crop_shape": (56, 80)},
        "otherwise": {"use_group_norm": False, "use_separate_rgb_encoder_per_camera": True, "crop_shape": None,
                      "prediction_type": "sample", "use_film_scale_modulation": False, "n_obs_steps": 3},
    },
    # So cold that the likeliest code is drawn: LeRobot takes no noise.
    "vqbet": {
        "as published": {"crop_shape": (56, 80), "bet_softmax_temperature": 1e-6},
        "otherwise": {"crop_shape": None, "bet_softmax_temperature": 1e-6, "use_group_norm": False, "n_obs_steps": 3,
                      "sequentially_select": True, "n_action_pred_token": 1},
    },
}  # fmt: skip
CASES = [(kind, case) for kind, cases in CHANGES.items() for case in cases]


def specs_of(kind):
    return {key: spec for key, spec in SPECS.items() if kind not in ONE_CAMERA or key != CAMERAS[1]}


def policy_of(kind, changes):
    start, plugin = policies.config(kind).tiny(), importlib.import_module(f"etude.policies.{kind}.lerobot")
    specs = specs_of(kind)
    config = dataclasses.replace(start, **plugin.ALIEN | {"vision_backbone": "resnet18"} | changes)
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    shapes = {"observation.state": 5, ACTION: 7}
    stats = {key: Stats.of(random.standard_normal((50, size)) * 3 + 1) for key, size in shapes.items()}
    stats |= {key: Stats.of(random.random((50, 3, 1, 1))) for key in CAMERAS}
    return LoadedPolicy(
        policy=policies.build(config, specs, ACT).eval(),
        config=config,
        pipeline=config.pipeline(stats, specs, ACT),
        observation=specs,
        action=ACT,
    )


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_lerobot_gives_the_same_chunk(ask, tmp_path, kind, case):
    ours = policy_of(kind, CHANGES[kind][case])
    lerobot.export(ours, tmp_path / "exported")
    random = np.random.default_rng(1)
    frame = example(ours.seen, random) | ours.example_noise(random)
    np.savez(tmp_path / "frame.npz", **frame)
    out = tmp_path / "chunk.npz"
    ask("acts", script=PEER, checkpoint=tmp_path / "exported", frame=tmp_path / "frame.npz", out=out)
    theirs = np.load(out)["action"]
    np.testing.assert_allclose(ours.act(frame)[: len(theirs)], theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", list(CHANGES))
def test_what_lerobot_saved_anew_comes_back(ask, tmp_path, kind):
    """From us to LeRobot, saved by LeRobot's own code, and read by us."""
    ours = policy_of(kind, CHANGES[kind]["as published"])
    lerobot.export(ours, tmp_path / "exported")
    ask("saves", script=PEER, checkpoint=tmp_path / "exported", out=tmp_path / "theirs")
    again = checkpoint.load(tmp_path / "theirs")
    random = np.random.default_rng(1)
    frame = example(ours.seen, random) | ours.example_noise(random)
    np.testing.assert_allclose(again.act(frame), ours.act(frame), atol=1e-5, rtol=1e-5)
    theirs = json.loads((tmp_path / "theirs" / "config.json").read_text())
    exported = json.loads((tmp_path / "exported" / "config.json").read_text())
    assert {key: value for key, value in theirs.items() if key in exported} == exported


@pytest.mark.parametrize("kind", list(CHANGES))
def test_we_read_lerobots_defaults(ask, tmp_path, kind):
    """A policy that LeRobot made with its own defaults, but small, acts the same here."""
    np.savez(tmp_path / "frame.npz", **example(specs_of(kind), np.random.default_rng(1)))
    ask("makes", script=PEER, kind=kind, out=tmp_path / "theirs", frame=tmp_path / "frame.npz")
    loaded = checkpoint.load(tmp_path / "theirs")
    with np.load(Path(tmp_path / "theirs" / "answer.npz")) as stored:
        frame = {key: stored[key] for key in stored.files}
    theirs = frame.pop(ACTION)
    np.testing.assert_allclose(loaded.act(frame)[: len(theirs)], theirs, atol=1e-5, rtol=1e-5)
