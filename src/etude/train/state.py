"""What resuming needs besides the policy: the newest weights, optimizer, moving average, random numbers, place.

Tensors go into `state.safetensors`, the rest into `state.json`; no pickle, so a checkpoint is safe to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from etude.core.errors import CheckpointError
from etude.core.files import write_json
from etude.nn.ema import Ema
from etude.policies.files import blamed, read_json
from etude.policies.weights import fill, read_weights, write_weights

JSON, TENSORS = "state.json", "state.safetensors"


@dataclass(kw_only=True)
class State:
    """Everything that changes while training."""

    policy: nn.Module
    optimizer: torch.optim.Optimizer
    ema: Ema | None
    bf16: bool
    step: int = 0
    """Updates made."""


def save(folder: Path, state: State, config: Mapping[str, Any]) -> None:
    """Write the state into `folder`, with the run's `config` as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder / TENSORS, dict(_tensors(state)))
    place = {"step": state.step, "bf16": state.bf16, "ema_updates": state.ema.num_updates if state.ema else 0}
    write_json(folder / JSON, place | {"config": dict(config)})


def restore(folder: Path, state: State) -> None:
    """Bring `state`, freshly built, to where `save` left it; raise `CheckpointError` when the files do not fit."""
    stored, tensors = read_json(folder / JSON), read_weights(folder / TENSORS)
    with blamed(folder):
        state.step, state.bf16 = int(stored["step"]), bool(stored["bf16"])
        fill(state.policy, _below("policy.", tensors), folder / TENSORS)
        if state.ema:
            state.ema.restore(_below("ema.", tensors), int(stored["ema_updates"]))
        _restore_optimizer(state.optimizer, _below("optimizer.", tensors))
        _restore_random(_below("random.", tensors))


def stored_config(folder: Path) -> dict[str, Any]:
    """Read the config of the run that wrote the state."""
    config = read_json(folder / JSON).get("config")
    if not isinstance(config, dict):
        raise CheckpointError(folder / JSON, "it holds no config.")
    return config


def _tensors(state: State) -> dict[str, Tensor]:
    named = {f"policy.{name}": value for name, value in state.policy.state_dict().items()}
    named |= {f"ema.{name}": value for name, value in state.ema.average.items()} if state.ema else {}
    for index, moments in state.optimizer.state_dict()["state"].items():
        named |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    named["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        named["random.cuda"] = torch.cuda.get_rng_state()
    return named


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, kind = name.partition(".")
        moments.setdefault(int(index), {})[kind] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _restore_random(tensors: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(tensors["cpu"])
    if "cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["cuda"])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
