"""Weights in safetensors files, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from etude.core.errors import CheckpointError
from etude.core.files import atomic

PICKLES = {".pt", ".pth", ".bin", ".ckpt", ".pkl"}
SHOWN = 8
"""Names listed in a message before it says how many more there are."""


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors, atomically; they are moved to the processor."""
    with atomic(path) as draft:
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, draft)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read tensors onto the processor; raise `CheckpointError` for what is not a sound safetensors file."""
    if path.suffix in PICKLES:
        raise CheckpointError(path, "a pickle can run any program when it is read. Convert it to safetensors first.")
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise CheckpointError(path, "there is no such file.") from error
    except (OSError, SafetensorError) as error:
        raise CheckpointError(path, f"this is no sound safetensors file ({error}).") from error


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put `tensors` into `module`, every one of them; raise `CheckpointError` that lists what does not fit."""
    wanted = module.state_dict()
    problems = {
        "missing": [name for name in wanted if name not in tensors],
        "unknown": [name for name in tensors if name not in wanted],
        "of another shape": [
            f"{name} {list(tensors[name].shape)} instead of {list(value.shape)}"
            for name, value in wanted.items()
            if name in tensors and tensors[name].shape != value.shape
        ],
    }
    found = [f"{len(names)} {problem} ({_some(names)})" for problem, names in problems.items() if names]
    if found:
        raise CheckpointError(path, f"the weights do not fit the policy: {'; '.join(found)}.")
    with torch.no_grad():
        for name, value in wanted.items():
            value.copy_(tensors[name])


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest
