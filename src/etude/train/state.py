"""What resuming needs besides the policy: the newest weights, optimizer, moving average, place in the data.

Random numbers need none: each update draws its own, from the run's seed and its number. Tensors go into
`state.safetensors`, the rest into `state.json`; no pickle, so a checkpoint is safe to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    spent_s: float = 0.0
    """Time that they took, waiting for samples included, by the clock of the first process."""
    samples_per_step: int = 0
    """Samples of an update, in all processes together."""

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the policy have its averaged weights for a while, where there are any."""
        if self.ema is None:
            yield
            return
        with self.ema.applied(self.policy):
            yield


def save(folder: Path, state: State, config: Mapping[str, Any]) -> None:
    """Write the state into `folder`, with the run's `config` as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder / TENSORS, dict(_tensors(state)))
    place = {
        "step": state.step,
        "spent_s": state.spent_s,
        "samples_per_step": state.samples_per_step,
        "bf16": state.bf16,
    }
    place |= {"ema_updates": state.ema.num_updates if state.ema else 0}
    write_json(folder / JSON, place | {"config": dict(config)})


def restore(folder: Path, state: State) -> None:
    """Bring `state`, freshly built, to where `save` left it; raise `CheckpointError` when the files do not fit."""
    stored, tensors = read_json(folder / JSON), read_weights(folder / TENSORS)
    with blamed(folder):
        state.step, state.spent_s = int(stored["step"]), float(stored.get("spent_s", 0.0))
        fill(state.policy, _below("policy.", tensors), folder / TENSORS)
        if state.ema:
            state.ema.restore(_below("ema.", tensors), int(stored["ema_updates"]))
        _restore_optimizer(state.optimizer, _below("optimizer.", tensors))


def used_bf16(folder: Path) -> bool:
    """Tell whether the run that wrote the state computed in bfloat16."""
    return bool(read_json(folder / JSON).get("bf16"))


def samples_per_step(folder: Path) -> int | None:
    """Count the samples of each update of the run that wrote the state; none where it did not say."""
    return read_json(folder / JSON).get("samples_per_step")


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
    return named


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, kind = name.partition(".")
        moments.setdefault(int(index), {})[kind] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
