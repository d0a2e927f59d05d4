"""Whether the forward and backward pass are compiled."""

from __future__ import annotations

import importlib.util
import os
import shutil

import torch

from etude.core.errors import ConfigError
from etude.train.config import TrainConfig

WORTHWHILE_STEPS = 2000
"""Updates of a run that makes up for the minutes that compiling takes."""
WORTHWHILE_MINUTES = 20
"""The same of a run that is as long as a clock says."""
_COMPILERS = ("g++", "c++", "clang++")


def compiles(config: TrainConfig, device: torch.device) -> bool:
    """Decide whether to compile on `device`; raise `ConfigError` when that was asked for and cannot be."""
    missing = _missing(device)
    if config.compile == "on" and missing:
        raise ConfigError(f"--compile=on needs {missing}, which is not here. Install it, or leave --compile out.")
    if config.compile != "auto":
        return config.compile == "on"
    return device.type == "cuda" and _is_long(config) and not missing


def _is_long(config: TrainConfig) -> bool:
    enough_steps = config.steps is None or config.steps >= WORTHWHILE_STEPS
    return enough_steps and (config.minutes is None or config.minutes >= WORTHWHILE_MINUTES)


def _missing(device: torch.device) -> str:
    """Name what torch.compile lacks on `device`."""
    if device.type == "cuda":
        return "" if importlib.util.find_spec("triton") else "Triton (pip install triton)"
    named = os.environ.get("CXX")
    found = any(shutil.which(name) for name in ([named] if named else _COMPILERS))
    return "" if found else f"a C++ compiler ({named or ', '.join(_COMPILERS)})"
