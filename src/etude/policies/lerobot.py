"""Checkpoints in LeRobot's layouts: read as policies of ours, and written so that LeRobot loads them.

Since version 0.4 a checkpoint keeps its normalisation in `policy_preprocessor.json` and `policy_postprocessor.json`
with a safetensors file beside each; before, in buffers among the weights (`normalize_inputs.buffer_...`).
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from etude.core.codec import decode, encode
from etude.core.errors import CheckpointError, ConfigError, NotFound
from etude.core.files import write_json
from etude.core.frame import ACTION, ENVIRONMENT_STATE, images
from etude.core.spec import Spec, Specs
from etude.policies import policies
from etude.policies.card import card
from etude.policies.files import blamed, read_json, replacing
from etude.policies.lerobot_config import shared_values
from etude.policies.lerobot_steps import PRE, below, joined, normalizer, read_pipeline, write_pipeline
from etude.policies.loaded import LoadedPolicy, Origin
from etude.policies.weights import fill, read_weights, write_weights
from etude.transforms.normalize import Mode
from etude.transforms.pipeline import Pipeline

CONFIG, MODEL, TRAINED, OURS = "config.json", "model.safetensors", "train_config.json", "etude.json"
"""LeRobot's files, and one of ours with what it has no place for: names of joints, units, where a policy learned."""
STEP = "training_state/training_step.json"
OLD_BUFFER = re.compile(
    r"(?P<side>normalize_inputs|normalize_targets|unnormalize_outputs)\.(?:(?P<dataset>.+?)_)?buffer_"
    r"(?P<key>\w+)\.(?P<statistic>mean|std|min|max)"
)
"""A statistic among old weights; policies that learned from several datasets have one set for each."""


def load(folder: Path, *, device: str, dataset: str = "") -> LoadedPolicy:
    """Read a LeRobot checkpoint folder; raise `CheckpointError` for what cannot be carried over exactly.

    `dataset` names whose statistics to take, where an old checkpoint has those of several.
    """
    stored = read_json(folder / CONFIG)
    if stored.get("use_peft"):
        raise CheckpointError(folder, "it holds an adapter (PEFT) only. Merge it into its base model first.")
    plugin = _plugin(folder, stored)
    weights = read_weights(folder / MODEL)
    tensors = {name: value for name, value in weights.items() if not OLD_BUFFER.fullmatch(name)}
    with blamed(folder / CONFIG):
        config, (observation, action) = plugin.read_config(stored), _specs(folder, stored)
        observation, action = _told(folder, observation, action)
        policy = policies.build(config, observation, action)
    with blamed(folder):
        if (folder / f"{PRE}.json").exists():
            pipeline, names = read_pipeline(folder, _kinds(stored))
        else:
            pipeline, names = _old_pipeline(stored, _old_stats(weights, dataset)), {}
    with blamed(folder / MODEL):
        fill(policy, plugin.rename(tensors), folder / MODEL)
    return LoadedPolicy(
        policy=policy.to(device).eval(),
        config=config,
        pipeline=pipeline,
        observation=observation,
        action=action,
        origin=_origin(folder),
        device=device,
    ).fed_by(names)


def export(loaded: LoadedPolicy, folder: Path) -> None:
    """Write a checkpoint that LeRobot loads; it takes the place of `folder` when it is complete.

    Raises `ConfigError` that names what LeRobot cannot express.
    """
    assert isinstance(loaded.policy, nn.Module)
    kind = policies.name_of(loaded.config)
    plugins = {name: module for name, module in _plugins().items() if hasattr(module, "write_config")}
    if kind not in plugins:
        raise ConfigError(f"LeRobot has no policy like '{kind}'. What can be exported: {', '.join(sorted(plugins))}.")
    values = plugins[kind].write_config(loaded.config)
    cameras, most = images(loaded.seen), getattr(plugins[kind], "MOST_CAMERAS", None)
    if most is not None and len(cameras) > most:
        raise ConfigError(f"LeRobot's {kind} looks through {most} camera at most, this one through {len(cameras)}.")
    features = {key: _feature(key, spec) for key, spec in loaded.seen.items()}
    outputs = {ACTION: {"type": "ACTION", "shape": list(loaded.action.shape)}}
    mapping = {name: Mode[mode] for name, mode in values["normalization_mapping"].items()}
    specs = {"observation": loaded.seen, "action": loaded.action, "origin": loaded.origin}
    with replacing(folder) as draft:
        write_json(draft / CONFIG, {"type": kind} | shared_values(features, outputs) | values)
        write_weights(draft / MODEL, plugins[kind].rename_back(loaded.policy.state_dict()))
        write_pipeline(draft, loaded.pipeline, features | outputs, mapping)
        write_json(draft / OURS, encode(specs))
        (draft / "README.md").write_text(card(loaded, kind), encoding="utf-8")


def _plugin(folder: Path, stored: Mapping[str, Any]) -> Any:
    """Give the module that knows this policy's LeRobot names."""
    kind, readers = stored.get("type", ""), _plugins()
    if kind not in readers:
        raise CheckpointError(folder, str(NotFound("policy that can be read from LeRobot", kind, readers)))
    return readers[kind]


def _plugins() -> dict[str, Any]:
    homes = {name: f"{home}.lerobot" for name, home in policies.packages().items()}
    return {name: importlib.import_module(home) for name, home in homes.items() if importlib.util.find_spec(home)}


def _specs(folder: Path, stored: Mapping[str, Any]) -> tuple[Specs, Spec]:
    if not stored.get("input_features") or ACTION not in stored.get("output_features", {}):
        raise CheckpointError(folder / CONFIG, "it names no input_features and output_features; it is too old.")
    observation = {key: _spec(entry) for key, entry in stored["input_features"].items()}
    return observation, _spec(stored["output_features"][ACTION])


def _spec(entry: Mapping[str, Any]) -> Spec:
    if entry["type"] != "VISUAL":
        return Spec(shape=tuple(entry["shape"]))
    channels, height, width = entry["shape"]
    return Spec(shape=(height, width, channels), dtype="uint8")


def _feature(key: str, spec: Spec) -> dict[str, Any]:
    if spec.is_image:
        height, width, channels = spec.shape
        return {"type": "VISUAL", "shape": [channels, height, width]}
    return {"type": "ENV" if key == ENVIRONMENT_STATE else "STATE", "shape": list(spec.shape)}


def _kinds(stored: Mapping[str, Any]) -> dict[str, str]:
    """Tell of each key whether it is VISUAL, STATE, ENV or ACTION."""
    return {key: entry["type"] for key, entry in (stored["input_features"] | stored["output_features"]).items()}


def _told(folder: Path, observation: Specs, action: Spec) -> tuple[Specs, Spec]:
    """Add names and units, where our own file beside LeRobot's tells them."""
    if not (folder / OURS).exists():
        return observation, action
    stored = read_json(folder / OURS)
    seen = decode(dict[str, Spec], stored.get("observation"), where=OURS)
    return (
        {key: _same_shape(seen.get(key, spec), spec) for key, spec in observation.items()},
        _same_shape(decode(Spec, stored.get("action"), where=OURS), action),
    )


def _same_shape(told: Spec, spec: Spec) -> Spec:
    return told if (told.shape, told.dtype) == (spec.shape, spec.dtype) else spec


def _origin(folder: Path) -> Origin:
    """Say where a policy learned, as far as the files beside it tell."""
    if (folder / OURS).exists():
        with blamed(folder / OURS):
            return decode(Origin, read_json(folder / OURS).get("origin"), where=OURS)
    run = read_json(folder / TRAINED) if (folder / TRAINED).exists() else {}
    step = read_json(folder.parent / STEP) if (folder.parent / STEP).exists() else {}
    with blamed(folder / TRAINED):
        return Origin(dataset=(run.get("dataset") or {}).get("repo_id") or "", step=int(step.get("step", 0)))


def _old_stats(weights: Mapping[str, Tensor], dataset: str) -> dict[str, Tensor]:
    """Give the statistics among old weights, without the name of the dataset that they are of."""
    found = {name: match for name in weights if (match := OLD_BUFFER.fullmatch(name))}
    names = sorted({match["dataset"] for match in found.values() if match["dataset"]})
    if names and not dataset and len(names) == 1:
        dataset = names[0]
    if names and dataset not in names:
        raise ConfigError(
            f"It has the statistics of {len(names)} datasets: {', '.join(names)}. Say whose to use: "
            "etude policy import SRC DST --stats_of=NAME."
        )
    return {
        f"{match['side']}.{match['key']}.{match['statistic']}": weights[name]
        for name, match in found.items()
        if match["dataset"] in (None, dataset)
    }


def _old_pipeline(stored: Mapping[str, Any], stats: Mapping[str, Tensor]) -> Pipeline:
    kinds, modes = _kinds(stored), stored["normalization_mapping"]
    into = {key: below(f"normalize_inputs.{key.replace('.', '_')}.", stats) for key in kinds}
    into[ACTION] = below(f"normalize_targets.{ACTION}.", stats)
    out_of = {ACTION: below(f"unnormalize_outputs.{ACTION}.", stats)}
    bare = [key for key, kind in kinds.items() if modes.get(kind, "IDENTITY") != "IDENTITY" and not into[key]]
    if bare:
        raise ConfigError(
            f"It has neither {PRE}.json nor statistics of '{bare[0]}' among its weights, so nothing says how it "
            "normalises."
        )
    return joined(kinds, normalizer(kinds, modes, into), normalizer({ACTION: "ACTION"}, modes, out_of))
