"""LeRobot's steps beside a policy: `policy_preprocessor.json`, `policy_postprocessor.json` and their tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, from_numpy

from etude.core.errors import CheckpointError, ConfigError
from etude.core.files import write_json
from etude.core.frame import ACTION
from etude.core.stats import QUANTILES, Stats
from etude.policies.files import read_json
from etude.policies.weights import read_weights, write_weights
from etude.transforms.images import ImageToFloat
from etude.transforms.normalize import BOUNDS, Mode, Normalize, Unnormalize
from etude.transforms.pipeline import Pipeline
from etude.transforms.rename import Rename

PRE, POST = "policy_preprocessor", "policy_postprocessor"
RENAME, NORMALIZE, UNNORMALIZE = "rename_observations_processor", "normalizer_processor", "unnormalizer_processor"
BATCH, DEVICE = "to_batch_processor", "device_processor"
PASSED_OVER = {BATCH, DEVICE}
"""Steps that only stack arrays or move them, which ours do elsewhere."""
Kinds = Mapping[str, str]
"""Of each key whether it is VISUAL, STATE, ENV or ACTION."""


def read_pipeline(folder: Path, kinds: Kinds) -> tuple[Pipeline, dict[str, str]]:
    """Read both files, and the rename map; raise `CheckpointError` for a step that ours cannot do exactly."""
    before, after = folder / f"{PRE}.json", folder / f"{POST}.json"
    into = _normalizer(before, NORMALIZE, kinds)
    out_of = _normalizer(after, UNNORMALIZE, {ACTION: "ACTION"})
    names = {key: new for step in _steps(before) if _name(step) == RENAME for key, new in _rename_map(step).items()}
    return joined(kinds, into, out_of), {key: new for key, new in names.items() if new in kinds}


def joined(kinds: Kinds, into: Normalize, out_of: Normalize) -> Pipeline:
    """Join the steps on the way in and on the way out."""
    cameras = tuple(key for key, kind in kinds.items() if kind == "VISUAL")
    return Pipeline((ImageToFloat(keys=cameras), into), (out_of.inverse(),))


def normalizer(
    kinds: Kinds, modes: Mapping[str, str], stats: Mapping[str, Mapping[str, Tensor]], eps: float = 1e-8
) -> Normalize:
    """Build a normaliser; a key without statistics stays as it is, as in LeRobot.

    Raises `ConfigError` where statistics were never filled in.
    """
    own = {key: Mode[modes.get(kind, "IDENTITY")] if stats[key] else Mode.IDENTITY for key, kind in kinds.items()}
    numbers = {key: _stats(tensors) for key, tensors in stats.items() if tensors}
    for key, mode in own.items():
        if mode is not Mode.IDENTITY and not _is_known(mode, numbers[key]):
            raise ConfigError(f"It normalises '{key}' by {mode.name}, but its statistics are missing or not finite.")
    return Normalize(modes=own, stats=numbers, eps=eps)


def write_pipeline(folder: Path, pipeline: Pipeline, features: Mapping[str, Any], mapping: Mapping[str, Mode]) -> None:
    """Write both files, of LeRobot's `features` by key; raise `ConfigError` for a transform that it does not have."""
    names, into, out_of = _parts(pipeline)
    outputs = {ACTION: features[ACTION]}
    device = {"registry_name": DEVICE, "config": {"device": "cpu", "float_dtype": None}}
    before = [
        {"registry_name": RENAME, "config": {"rename_map": dict(names)}},
        {"registry_name": BATCH, "config": {}},
        device,
        {"registry_name": NORMALIZE, "config": _normalizer_config(into, features, mapping)},
    ]
    after = [{"registry_name": UNNORMALIZE, "config": _normalizer_config(out_of, outputs, mapping)}, device]
    for file, steps in ((PRE, before), (POST, after)):
        for place, step in enumerate(steps):
            if step["registry_name"] in (NORMALIZE, UNNORMALIZE):
                step["state_file"] = f"{file}_step_{place}_{step['registry_name']}.safetensors"
                write_weights(folder / step["state_file"], _tensors(into, out_of, features, mapping))
        write_json(folder / f"{file}.json", {"name": file, "steps": steps})


def _steps(path: Path) -> list[dict[str, Any]]:
    return read_json(path)["steps"]


def _name(step: Mapping[str, Any]) -> str:
    return step.get("registry_name", step.get("class", ""))


def _rename_map(step: Mapping[str, Any]) -> dict[str, str]:
    return step.get("config", {}).get("rename_map", {})


def _normalizer(path: Path, wanted: str, kinds: Kinds) -> Normalize:
    steps = _steps(path)
    for step in steps:
        if _name(step) not in {wanted, RENAME, *PASSED_OVER}:
            raise CheckpointError(path, f"its step '{_name(step)}' cannot be carried over.")
    found = [step for step in steps if _name(step) == wanted]
    if len(found) != 1:
        raise CheckpointError(path, f"it should have one step named {wanted}, got {len(found)}.")
    config = found[0]["config"]
    file = found[0].get("state_file")
    tensors = read_weights(path.parent / file) if file else {}
    only = config.get("normalize_observation_keys")
    stats = {key: below(f"{key}.", tensors) if _is_chosen(key, only) else {} for key in kinds}
    return normalizer(kinds, config["norm_map"], stats, eps=config.get("eps", 1e-8))


def _is_chosen(key: str, only: Iterable[str] | None) -> bool:
    """Tell whether a key is normalised at all; LeRobot may leave observations out, actions never."""
    return only is None or key == ACTION or key in only


def _stats(tensors: Mapping[str, Tensor]) -> Stats:
    """Read one key's statistics; those that a checkpoint does not hold are not a number."""
    array = {name: value.numpy().astype(np.float64) for name, value in tensors.items()}
    unknown = np.full_like(next(iter(array.values())), np.nan)
    mean, std, low, high = (array.get(name, unknown) for name in ("mean", "std", "min", "max"))
    quantiles = {name: array[name] for name in QUANTILES if name in array}
    count = int(array["count"].flat[0]) if "count" in array else 0
    return Stats(mean=mean, std=std, min=low, max=high, count=count, quantiles=quantiles)


def _is_known(mode: Mode, stats: Stats) -> bool:
    """Tell whether statistics hold what a mode needs."""
    names = BOUNDS.get(mode, ("mean", "std"))
    found = [stats.quantiles.get(name) if name[0] == "q" else getattr(stats, name) for name in names]
    return all(one is not None and np.isfinite(one).all() for one in found)


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _parts(pipeline: Pipeline) -> tuple[Mapping[str, str], Normalize, Unnormalize]:
    """Take a pipeline apart into what LeRobot has: names, a normaliser and its counterpart."""
    names, into, out_of = {}, None, None
    for step in (*pipeline.inputs, *pipeline.outputs):
        if isinstance(step, Rename):
            names = step.keys
        elif isinstance(step, Normalize):
            into = step
        elif isinstance(step, Unnormalize):
            out_of = step
        elif not isinstance(step, ImageToFloat):
            raise ConfigError(f"LeRobot has no counterpart of the pipeline's step {type(step).__name__}.")
    if into is None or out_of is None:
        raise ConfigError("The pipeline does not normalise, which LeRobot's always does.")
    return names, into, out_of


def _normalizer_config(
    step: Normalize | Unnormalize, features: Mapping[str, Any], mapping: Mapping[str, Mode]
) -> dict[str, Any]:
    return {
        "eps": step.eps,
        "features": dict(features),
        "norm_map": {kind: mode.name for kind, mode in mapping.items()},
    }


def _tensors(
    into: Normalize, out_of: Unnormalize, features: Mapping[str, Any], mapping: Mapping[str, Mode]
) -> dict[str, Tensor]:
    """Give the statistics of all that is normalised; what has none stays as it is."""
    stats: dict[str, Stats] = {}
    for key, feature in features.items():
        mode, step = mapping.get(feature["type"], Mode.IDENTITY), out_of if key == ACTION else into
        own = step.modes.get(key, Mode.IDENTITY)
        if own not in (mode, Mode.IDENTITY):
            raise ConfigError(f"LeRobot normalises all {feature['type']} by {mode.name}, but '{key}' is by {own.name}.")
        if own is not Mode.IDENTITY:
            stats[key] = step.stats[key]
    return {
        f"{key}.{name}": from_numpy(np.asarray(value, np.float32))
        for key, one in stats.items()
        for name, value in one.to_json().items()
        if name != "count" and np.isfinite(value).all()
    }
