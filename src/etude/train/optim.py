"""The optimizer, and how its learning rates go up and down."""

from __future__ import annotations

import inspect
import math

import torch

from etude.policies.policy import Policy
from etude.train.config import TrainConfig
from etude.train.muon import Orthogonalised

_MARKED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
"""Methods of PyTorch's optimizers that import its compiler to tell it that they are not to be compiled."""


def optimizer(policy: Policy, config: TrainConfig) -> torch.optim.Optimizer:
    """Make the optimizer over the policy's own parameter groups, whose values go before those of `config`.

    `base_lr` of each group is what the schedule scales.
    """
    groups = [group | {"base_lr": group.get("lr", config.policy.optimizer_lr)} for group in policy.parameter_groups()]
    if config.lora.rank:
        groups = [group | {"params": [one for one in group["params"] if one.requires_grad]} for group in groups]
        groups = [group for group in groups if group["params"]]
    # One fused pass over the weights; a loop of small operations costs a seventh of an ACT step on a processor.
    return KINDS[config.optimizer.type](
        groups,
        lr=config.policy.optimizer_lr,
        betas=config.optimizer.betas,
        eps=config.optimizer.eps,
        weight_decay=config.policy.optimizer_weight_decay,
        fused=True,
    )


def _without_compiler(kind: type[torch.optim.Adam]) -> type[torch.optim.Adam]:
    """Give an optimizer that does the same and is never compiled.

    Importing PyTorch's compiler takes as long as importing the rest of PyTorch, and few runs need it.
    """
    own = {name: inspect.unwrap(getattr(kind, name)) for name in _MARKED}
    return type(kind.__name__, (kind,), own | {"step": torch.no_grad()(inspect.unwrap(kind.step))})


_ADAMW = _without_compiler(torch.optim.AdamW)
KINDS: dict[str, type[torch.optim.Adam]] = {
    "adamw": _ADAMW,
    "adam": _without_compiler(torch.optim.Adam),
    "muon": type("Muon", (Orthogonalised, _ADAMW), {}),
}
"""Optimizers by name."""


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Scale each group's learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def rate_factor(step: int, config: TrainConfig, spent_s: float = 0.0) -> float:
    """Tell what learning rates are multiplied by at update `step`, which counts from 0.

    In a run of so many minutes they rise over the updates of the warm-up and fall with the time that is used, of which
    those before took `spent_s`: how many updates there will be nobody knows.
    """
    if config.minutes is not None:
        return _rise(step, config) * _fall(config.budget.used(step, spent_s), config)
    values, step = config.scheduler, step - config.scheduler.num_delay_steps
    if step < 0:
        return 1.0
    if values.type == "cosine_decay_with_warmup":
        return _to_a_floor(step, config)
    warmup = values.num_warmup_steps
    if step < warmup:
        return (step + 1) / warmup
    if values.type == "constant":
        return 1.0
    share = (step - warmup) / max(1, _steps(config) - values.num_delay_steps - warmup)
    return max(0.0, 1 - share) if values.type == "linear" else _cosine(share)


def _to_a_floor(step: int, config: TrainConfig) -> float:
    """Give LeRobot's law: the cosine counts from the start, and a shorter run shrinks both parts."""
    values, floor = config.scheduler, config.scheduler.decay_lr / config.policy.optimizer_lr
    steps = _steps(config)
    decay, warmup = values.num_decay_steps or steps, values.num_warmup_steps
    if steps < decay:
        decay, warmup = steps, int(warmup * steps / decay)
    if step < warmup:
        first = 1 / (warmup + 1)
        return first + (1 - first) * step / warmup
    return floor + (1 - floor) * _cosine(step / decay)


def _rise(step: int, config: TrainConfig) -> float:
    warmup = config.scheduler.num_warmup_steps
    return (step + 1) / warmup if step < warmup else 1.0


def _fall(share: float, config: TrainConfig) -> float:
    values = config.scheduler
    if values.type == "constant":
        return 1.0
    if values.type == "linear":
        return max(0.0, 1 - share)
    floor = values.decay_lr / config.policy.optimizer_lr if values.type == "cosine_decay_with_warmup" else 0.0
    return floor + (1 - floor) * _cosine(share)


def _steps(config: TrainConfig) -> int:
    assert config.steps is not None  # else there are minutes
    return config.steps


def _cosine(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
