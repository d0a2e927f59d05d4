"""Weights in safetensors files, read strictly."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from etude.core.errors import CheckpointError, nearest
from etude.core.files import atomic

PICKLES = {".pt", ".pth", ".bin", ".ckpt", ".pkl"}
UNSAFE = "a pickle can run any program when it is read. Convert it to safetensors first."
SHOWN = 8
"""Names listed in a message before it says how many more there are."""
MOST_COMPARED = 50
"""Names among which the nearest is looked for; with more, it is another policy and not a slip."""


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors, atomically; they are moved to the processor. Raises `OSError` when the disk is full."""
    with atomic(path) as draft:
        stored = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        try:
            save_file(stored, draft, metadata={"format": "pt"})
        except SafetensorError as error:
            if f"os error {errno.ENOSPC}" in str(error):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
            raise


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read tensors onto the processor; raise `CheckpointError` for what is not a sound safetensors file."""
    if path.suffix in PICKLES:
        raise CheckpointError(path, UNSAFE)
    try:
        stored = load_file(path)
        with safe_open(path, "pt") as file:
            kept = file.metadata() or {}
        # A tensor that goes by several names is stored once, and the header says under which.
        return stored | {alias: stored[name] for alias, name in kept.items() if name in stored}
    except FileNotFoundError as error:
        raise CheckpointError(path, "there is no such file.") from error
    except (OSError, SafetensorError) as error:
        if _is_pickle(path):
            raise CheckpointError(path, f"this is a pickle under another name; {UNSAFE}") from error
        raise CheckpointError(path, f"this is no sound safetensors file ({error}).") from error


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put `tensors` into `module`, every one of them; raise `CheckpointError` that lists what does not fit."""
    wanted = module.state_dict()
    found = misfits(wanted, tensors)
    if found:
        told = "; ".join(f"{len(each)} {problem} ({_some(each)})" for problem, each in found.items())
        details = [f"{problem}: {one}" for problem, each in found.items() for one in each]
        raise CheckpointError(path, f"the weights do not fit the policy: {told}.", details)
    with torch.no_grad():
        for name, value in wanted.items():
            value.copy_(tensors[name])


def misfits(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Say of each tensor that does not fit what is wrong, with its shape and the nearest name that has no partner."""
    missing = [name for name in wanted if name not in tensors]
    unknown = [name for name in tensors if name not in wanted]
    problems = {
        "missing": [f"{name} {_shape(wanted[name])}{_hint(name, unknown)}" for name in missing],
        "unknown": [f"{name} {_shape(tensors[name])}" for name in unknown],
        "of another shape": [
            f"{name} {_shape(tensors[name])} instead of {_shape(value)}"
            for name, value in wanted.items()
            if name in tensors and tensors[name].shape != value.shape
        ],
    }
    return {problem: each for problem, each in problems.items() if each}


def _is_pickle(path: Path) -> bool:
    """Tell by its first bytes whether a file is a pickle, or the archive of one that torch writes."""
    with path.open("rb") as file:
        return file.read(2) in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def _shape(value: Tensor) -> str:
    return str(list(value.shape))


def _hint(name: str, free: list[str]) -> str:
    near = nearest(name, free) if len(free) <= MOST_COMPARED else []
    return f", perhaps {near[0]}" if near else ""


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest
