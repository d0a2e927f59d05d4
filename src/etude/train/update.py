"""One update: batches in, gradients together, one step of the optimizer."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.profiler import record_function

from etude.core.errors import EtudeError
from etude.train import parallel
from etude.train.optim import rate_factor, set_rate
from etude.train.setup import Setup

Numbers = dict[str, np.ndarray]


def update(setup: Setup, batches: Iterable[Numbers]) -> dict[str, float]:
    """Learn from `grad_accum_steps` batches at once; give the loss, its parts, the gradient's length and the rate.

    Between meetings of several processes the values are this one's.

    What is random in it is decided by the run's seed, the update's number, the batch and the process, so that a run
    goes on to the same bits from wherever it was left.
    """
    config, state = setup.config, setup.state
    set_rate(state.optimizer, rate_factor(state.step, config, state.spent_s))
    state.policy.train()
    setup.together.begin()
    told: list[dict[str, Tensor]] = []
    for number, batch in enumerate(batches):
        with setup.accelerator.accumulate(setup.objective):
            told.append(_learn(setup, batch, number))
    length = _step(setup)
    state.step += 1
    if setup.is_meeting:
        with record_function("meet"):
            setup.together.meet()
    with record_function("wait for results"):
        losses = {name: torch.stack([each[name] for each in told]).mean() for name in told[0]}
        losses = parallel.averaged(losses) if setup.is_meeting else losses
        values = {name: value.item() for name, value in (losses | {"grad_norm": length}).items()}
    _check_sound(setup, values)
    return values | {"lr": state.optimizer.param_groups[0]["lr"]}


def _learn(setup: Setup, batch: Numbers, number: int) -> dict[str, Tensor]:
    """Add one batch's gradient to those there are."""
    seed = sow(setup.device, setup.config.seed, setup.state.step, number, parallel.process_index())
    with record_function("encode"):
        encoded = setup.encode(batch, seed)
    with record_function("forward"):
        loss, parts = setup.objective(encoded)
    with record_function("backward"):
        setup.accelerator.backward(loss)
    return {"loss": loss.detach()} | parts


def _step(setup: Setup) -> Tensor:
    """Let the optimizer and the moving average take a step; give the gradient's length."""
    state, longest = setup.state, setup.config.optimizer.grad_clip_norm or float("inf")
    with record_function("meet"):
        setup.together.share_gradients()
    with record_function("optimizer"):
        length = setup.accelerator.clip_grad_norm_(setup.objective.parameters(), longest)
        setup.optimizer.step()
        setup.optimizer.zero_grad()
    if state.ema:
        with record_function("average"):
            state.ema.update()
    return torch.tensor(float("nan")) if length is None else length  # DeepSpeed shortens it by itself


def sow(device: torch.device, *numbers: int) -> int:
    """Seed Python, numpy and torch with what `numbers` decide, and give the seed."""
    seeds = np.random.SeedSequence(numbers).generate_state(2, np.uint64)
    seed = int(seeds[0])
    # Not torch.manual_seed: it notes for every graphics card that is not in use what to do should it ever be.
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)
    np.random.seed(int(seeds[1] >> np.uint64(32)))  # noqa: NPY002  for code that draws from the global state
    random.seed(seed)
    return seed


def _check_sound(setup: Setup, values: dict[str, float]) -> None:
    """Raise `EtudeError` when the update has spoiled the weights, before a checkpoint holds them."""
    told = {"loss": values["loss"]}
    if not parallel.is_sharded(setup.accelerator):
        told["gradient"] = values["grad_norm"]
    for name, value in told.items():
        if not np.isfinite(value):
            raise EtudeError(f"The {name} became {value} at update {setup.state.step}. {_advice(setup)}")


def _advice(setup: Setup) -> str:
    rate = setup.config.policy.optimizer_lr
    return f"Try a lower --policy.optimizer_lr (now {rate:g}), a longer --scheduler.num_warmup_steps, or --bf16=off."
