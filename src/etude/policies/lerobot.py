"""Checkpoints that LeRobot wrote, of either age, as policies of ours.

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

import numpy as np
from torch import Tensor

from etude.core.errors import CheckpointError, NotFound
from etude.core.frame import ACTION
from etude.core.spec import Spec, Specs
from etude.core.stats import QUANTILES, Stats
from etude.policies import policies
from etude.policies.files import blamed, read_json
from etude.policies.loaded import LoadedPolicy
from etude.policies.weights import fill, read_weights
from etude.transforms.images import ImageToFloat
from etude.transforms.normalize import Mode, Normalize
from etude.transforms.pipeline import Pipeline

CONFIG, MODEL = "config.json", "model.safetensors"
PRE, POST = "policy_preprocessor.json", "policy_postprocessor.json"
PASSED_OVER = {"to_batch_processor", "device_processor"}
"""Steps that only stack arrays or move them, which ours do elsewhere."""
OLD_BUFFER = re.compile(r"(normalize_inputs|normalize_targets|unnormalize_outputs)\.buffer_(\w+)\.(mean|std|min|max)")


def load(folder: Path, *, device: str) -> LoadedPolicy:
    """Read a LeRobot checkpoint folder; raise `CheckpointError` for what cannot be carried over exactly."""
    stored = read_json(folder / CONFIG)
    if stored.get("use_peft"):
        raise CheckpointError(folder, "it holds an adapter (PEFT) only. Merge it into its base model first.")
    plugin = _plugin(folder, stored)
    with blamed(folder / CONFIG):
        config = plugin.read_config(stored)
        observation, action = _specs(folder, stored)
    weights = read_weights(folder / MODEL)
    buffers = {name: value for name, value in weights.items() if OLD_BUFFER.fullmatch(name)}
    with blamed(folder):
        policy = policies.build(config, observation, action)
        is_new = (folder / PRE).exists()
        pipeline = _new_pipeline(folder, stored) if is_new else _old_pipeline(stored, buffers)
    tensors = {name: value for name, value in weights.items() if name not in buffers}
    fill(policy, plugin.rename(tensors), folder / MODEL)
    return LoadedPolicy(
        policy=policy.to(device).eval(),
        config=config,
        pipeline=pipeline,
        observation=observation,
        action=action,
        device=device,
    )


def _plugin(folder: Path, stored: Mapping[str, Any]) -> Any:
    """Give the module that knows this policy's LeRobot names."""
    kind = stored.get("type", "")
    readers = {name: f"{home}.lerobot" for name, home in policies.packages().items() if _is_module(f"{home}.lerobot")}
    if kind not in readers:
        raise CheckpointError(folder, str(NotFound("policy that can be read from LeRobot", kind, readers)))
    return importlib.import_module(readers[kind])


def _is_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _specs(folder: Path, stored: Mapping[str, Any]) -> tuple[Specs, Spec]:
    if "input_features" not in stored or ACTION not in stored.get("output_features", {}):
        raise CheckpointError(folder / CONFIG, "it names no input_features and output_features; it is too old.")
    observation = {key: _spec(entry) for key, entry in stored["input_features"].items()}
    return observation, _spec(stored["output_features"][ACTION])


def _spec(entry: Mapping[str, Any]) -> Spec:
    if entry["type"] != "VISUAL":
        return Spec(shape=tuple(entry["shape"]))
    channels, height, width = entry["shape"]
    return Spec(shape=(height, width, channels), dtype="uint8")


def _pipeline(kinds: Mapping[str, str], into: Normalize, out_of: Normalize) -> Pipeline:
    cameras = tuple(key for key, kind in kinds.items() if kind == "VISUAL")
    return Pipeline((ImageToFloat(keys=cameras), into), (out_of.inverse(),))


def _kinds(stored: Mapping[str, Any]) -> dict[str, str]:
    """Tell of each key whether it is VISUAL, STATE, ENV or ACTION."""
    return {key: entry["type"] for key, entry in (stored["input_features"] | stored["output_features"]).items()}


def _new_pipeline(folder: Path, stored: Mapping[str, Any]) -> Pipeline:
    into = _normalizer(folder, PRE, "normalizer_processor", _kinds(stored))
    out_of = _normalizer(folder, POST, "unnormalizer_processor", {ACTION: "ACTION"})
    return _pipeline(_kinds(stored), into, out_of)


def _normalizer(folder: Path, file: str, wanted: str, kinds: Mapping[str, str]) -> Normalize:
    found = [step for step in read_json(folder / file)["steps"] if _matters(folder / file, step, wanted)]
    if len(found) != 1:
        raise CheckpointError(folder / file, f"it should have one step named {wanted}, got {len(found)}.")
    config, tensors = found[0]["config"], read_weights(folder / found[0]["state_file"])
    stats = {key: _below(f"{key}.", tensors) for key in kinds}
    return _normalize(kinds, config["norm_map"], stats, eps=config.get("eps", 1e-8))


def _matters(path: Path, step: Mapping[str, Any], wanted: str) -> bool:
    name, config = step.get("registry_name", step.get("class")), step.get("config", {})
    is_idle = name in PASSED_OVER or (name == "rename_observations_processor" and not config.get("rename_map"))
    if is_idle or (name == wanted and not config.get("normalize_observation_keys")):
        return not is_idle
    raise CheckpointError(path, f"its step '{name}' with {config} cannot be carried over.")


def _old_pipeline(stored: Mapping[str, Any], buffers: Mapping[str, Tensor]) -> Pipeline:
    kinds, modes = _kinds(stored), stored["normalization_mapping"]
    into = {key: _below(f"normalize_inputs.buffer_{key.replace('.', '_')}.", buffers) for key in kinds}
    into[ACTION] = _below(f"normalize_targets.buffer_{ACTION}.", buffers)
    out_of = {ACTION: _below(f"unnormalize_outputs.buffer_{ACTION}.", buffers)}
    return _pipeline(kinds, _normalize(kinds, modes, into), _normalize({ACTION: "ACTION"}, modes, out_of))


def _normalize(
    kinds: Mapping[str, str], modes: Mapping[str, str], stats: Mapping[str, Mapping[str, Tensor]], eps: float = 1e-8
) -> Normalize:
    """Build a normaliser; a key without statistics stays as it is, as in LeRobot."""
    return Normalize(
        modes={key: Mode[modes.get(kind, "IDENTITY")] if stats[key] else Mode.IDENTITY for key, kind in kinds.items()},
        stats={key: _stats(tensors) for key, tensors in stats.items() if tensors},
        eps=eps,
    )


def _stats(tensors: Mapping[str, Tensor]) -> Stats:
    """Read one key's statistics; those that an old checkpoint does not hold are not a number."""
    array = {name: value.numpy().astype(np.float64) for name, value in tensors.items()}
    unknown = np.full_like(next(iter(array.values())), np.nan)
    mean, std, low, high = (array.get(name, unknown) for name in ("mean", "std", "min", "max"))
    quantiles = {name: array[name] for name in QUANTILES if name in array}
    return Stats(mean=mean, std=std, min=low, max=high, count=0, quantiles=quantiles)


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
