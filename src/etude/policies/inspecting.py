"""What a policy is, as facts that a person or a program can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from etude.core.codec import encode
from etude.core.frame import ACTION
from etude.core.spec import Spec
from etude.policies import checkpoint, policies
from etude.policies.loaded import LoadedPolicy
from etude.transforms.normalize import Mode, Normalize, Unnormalize
from etude.transforms.rename import Rename

Facts = dict[str, Any]


def summary(folder: Path, loaded: LoadedPolicy) -> Facts:
    """Tell a checkpoint's type, size, specs, normalisation, how it is played and where it learned, in JSON values."""
    assert isinstance(loaded.policy, nn.Module)
    folder = checkpoint.find(folder)
    is_ours, tensors = (folder / checkpoint.SPECS).exists(), loaded.policy.state_dict()
    return {
        "folder": str(folder),
        "type": policies.name_of(loaded.config),
        "layout": "etude" if is_ours else "lerobot",
        "has_golden_pair": (folder / checkpoint.GOLDEN).exists(),
        "parameters": _counted(loaded.policy),
        "weights": {"tensors": len(tensors), "bytes": sum(map(_bytes, tensors.values()))},
        "bytes_on_disk": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        "observation": {key: _spec(spec) for key, spec in loaded.observation.items()},
        "action": _spec(loaded.action),
        "normalization": _normalization(loaded),
        "renames": {
            old: new for step in loaded.pipeline.inputs if isinstance(step, Rename) for old, new in step.keys.items()
        },
        "pipeline": {
            "inputs": [type(step).__name__ for step in loaded.pipeline.inputs],
            "outputs": [type(step).__name__ for step in loaded.pipeline.outputs],
        },
        "execution": _execution(loaded),
        "origin": encode(loaded.origin),
        "config": encode(loaded.config),
    }


def _counted(policy: nn.Module) -> Facts:
    parts = {name: sum(value.numel() for value in part.parameters()) for name, part in policy.named_children()}
    learned = sum(value.numel() for value in policy.parameters() if value.requires_grad)
    total = sum(value.numel() for value in policy.parameters())
    return {"total": total, "learned": learned, "of": {name: count for name, count in parts.items() if count}}


def _bytes(value: Tensor) -> int:
    return value.numel() * value.element_size()


def _spec(spec: Spec) -> Facts:
    return {"shape": list(spec.shape), "dtype": spec.dtype, "names": list(spec.names), "unit": spec.unit}


def _normalization(loaded: LoadedPolicy) -> Facts:
    """Tell by which law each key is normalised, by the policy's own names."""
    into = [step for step in loaded.pipeline.inputs if isinstance(step, Normalize)]
    out_of = [step for step in loaded.pipeline.outputs if isinstance(step, Unnormalize)]
    modes = {key: mode for step in into for key, mode in step.modes.items() if key != ACTION}
    modes |= {key: mode for step in out_of for key, mode in step.modes.items()}
    return {key: mode.name for key, mode in modes.items() if mode is not Mode.IDENTITY}


def _execution(loaded: LoadedPolicy) -> Facts:
    window = loaded.config.window
    return {
        "chunk_size": sum(offset >= 0 for offset in window.offsets[ACTION]),
        "n_action_steps": loaded.n_action_steps,
        "looks_back": list(loaded.past),
        "temporal_ensemble_coeff": getattr(loaded.config, "temporal_ensemble_coeff", None),
        "samples": loaded.config.num_noise > 0,
        "fps": loaded.origin.fps,
    }
