"""Where a network runs."""

from __future__ import annotations

import torch

from etude.core.errors import ConfigError


def choose(name: str) -> torch.device:
    """Give the device called `name`; `auto` is the fastest there is. Raises `ConfigError` when it is not there."""
    if name == "auto":
        return torch.device(next((kind for kind in ("cuda", "mps") if _is_there(kind)), "cpu"))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"There is no device named '{name}'. Known: auto, cpu, cuda, cuda:0, mps.") from error
    if device.type != "cpu" and not _is_there(device.type):
        raise ConfigError(f"Device '{name}' is not available to this PyTorch ({torch.__version__}). Try cpu.")
    return device


def _is_there(kind: str) -> bool:
    return torch.cuda.is_available() if kind == "cuda" else kind == "mps" and torch.backends.mps.is_available()
