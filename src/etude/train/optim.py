"""The optimizer, and how its learning rate goes up and down."""

from __future__ import annotations

import math

import torch

from etude.policies.policy import Policy
from etude.train.config import TrainConfig


def optimizer(policy: Policy, config: TrainConfig) -> torch.optim.AdamW:
    """Make AdamW over the policy's own parameter groups; `base_lr` of each group is what the schedule scales."""
    groups = [group | {"base_lr": group.get("lr", config.policy.optimizer_lr)} for group in policy.parameter_groups()]
    # One fused pass over the weights; a loop of small operations costs a seventh of an ACT step on a processor.
    return torch.optim.AdamW(
        groups, lr=config.policy.optimizer_lr, weight_decay=config.policy.optimizer_weight_decay, fused=True
    )


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Scale each group's learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def rate_factor(step: int, config: TrainConfig) -> float:
    """Tell what learning rates are multiplied by at update `step`, which counts from 0."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return 1.0
    share = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
