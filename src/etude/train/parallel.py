"""Several processes that train one policy, by Accelerate; one process is the ordinary case of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from etude.core.errors import ConfigError, MissingExtra
from etude.policies.devices import choose
from etude.policies.policy import Batch, Policy
from etude.train.averaging import Averaging, LocalUpdates, Together
from etude.train.compiling import compiles
from etude.train.config import TrainConfig

if TYPE_CHECKING:
    from accelerate import Accelerator
    from accelerate.utils import KwargsHandler

LONGEST_WAIT = timedelta(hours=4)
"""The other processes wait while the first saves and evaluates."""


class Objective(nn.Module):
    """A policy as a module whose forward pass is its loss; that is what is compiled and given to several processes."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Give what to minimise, and its parts by name."""
        return self.policy.loss(batch)


def num_processes() -> int:
    """Count the processes of this run, as its launcher said: torchrun or `accelerate launch`."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def process_index() -> int:
    """Give this process's number; the first one, 0, writes and speaks."""
    return int(os.environ.get("RANK", "0"))


@contextmanager
def processes(config: TrainConfig) -> Iterator[torch.device]:
    """Join the run's other processes, if there are any, and give this one's device; part from them at the end."""
    device = choose(config.device)
    if device.type == "cuda" and num_processes() > 1:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    try:
        from accelerate.state import AcceleratorState, GradientState, PartialState  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    if num_processes() == 1:
        os.environ.pop("LOCAL_RANK", None)  # left over from a launcher, it would start a group of one
    group = PartialState(cpu=device.type == "cpu", timeout=LONGEST_WAIT) if num_processes() > 1 else None
    try:
        yield device
    finally:
        if group:
            group.destroy_process_group()
        # Accelerate remembers for the whole program what it was first asked for; the next run may want another thing.
        AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001
        GradientState._reset_state()  # noqa: SLF001


def accelerator(config: TrainConfig, device: torch.device, *, bf16: bool) -> Accelerator:
    """Make the accelerator of a run; call it within `processes`."""
    from accelerate import Accelerator, DistributedDataParallelKwargs  # noqa: PLC0415  an extra
    from accelerate.utils import GradientAccumulationPlugin  # noqa: PLC0415  an extra

    # A policy may leave parameters out for a while, such as VQ-BeT's while it learns its codes.
    handlers: list[KwargsHandler] = [DistributedDataParallelKwargs(find_unused_parameters=True)]
    return Accelerator(
        cpu=device.type == "cpu",
        device_placement=num_processes() > 1,
        mixed_precision="bf16" if bf16 else "no",
        gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=config.grad_accum_steps),
        dynamo_backend="inductor" if compiles(config, device) else None,
        kwargs_handlers=handlers,
        **_sharding(config, device),
    )


def shared(
    accelerator: Accelerator, objective: nn.Module, optimizer: torch.optim.Optimizer, local_steps: int
) -> tuple[nn.Module, Any, Together]:
    """Let Accelerate take a run's objective and optimizer; on processors averaging is done by ourselves."""
    if num_processes() == 1 or (accelerator.device.type != "cpu" and local_steps == 1):
        return (*accelerator.prepare(objective, optimizer), Together())
    taken = accelerator.prepare_model(objective, evaluation_mode=True)  # which leaves gradients to us
    together = Averaging(objective) if local_steps == 1 else LocalUpdates(objective, optimizer)
    return taken, accelerator.prepare_optimizer(optimizer), together


def averaged(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Average scalars over all processes."""
    if num_processes() == 1:
        return values
    stacked = torch.stack([value.float() for value in values.values()])
    torch.distributed.all_reduce(stacked)
    return dict(zip(values, stacked / num_processes(), strict=True))


def any_says(asked: bool, device: torch.device) -> bool:
    """Whether any process says so."""
    if num_processes() == 1:
        return asked
    flag = torch.tensor(float(asked), device=device)
    torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
    return bool(flag.item())


def first_says(answer: bool, device: torch.device) -> bool:
    """Give every process the first one's answer, where a measurement may differ between them."""
    return bool(of_first(float(answer), device))


def of_first(number: float, device: torch.device) -> float:
    """Give every process the first one's number, such as its clock's, to the last bit."""
    if num_processes() == 1:
        return number
    told = torch.tensor(number, dtype=torch.float64, device=device)
    torch.distributed.broadcast(told, 0)
    return float(told.item())


def wait_for_all() -> None:
    """Wait until every process is here."""
    if num_processes() > 1:
        torch.distributed.barrier()


def gathered(accelerator: Accelerator, objective: nn.Module) -> dict[str, Tensor] | None:
    """Put the policy's weights together where processes share them, in all processes at once; otherwise give none."""
    if not is_sharded(accelerator):
        return None
    whole = accelerator.get_state_dict(objective) or {}
    return {str(name).removeprefix("policy."): torch.as_tensor(value) for name, value in whole.items()}


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether no process has all weights."""
    return accelerator.distributed_type.value in ("FSDP", "DEEPSPEED")


def _sharding(config: TrainConfig, device: torch.device) -> dict[str, Any]:
    if config.parallel == "ddp":
        return {}
    if device.type != "cuda" or num_processes() == 1:
        raise ConfigError(f"--parallel={config.parallel} is for several GPUs; here are {num_processes()} of {device}.")
    if config.local_steps > 1:
        raise ConfigError(f"--parallel={config.parallel} shares gradients at every update; leave out --local_steps.")
    if config.ema.decay:
        raise ConfigError(f"--parallel={config.parallel} keeps no average of weights yet; add --ema.decay=0.")
    return {f"{config.parallel}_plugin": sharding_plugin(config)}


def sharding_plugin(config: TrainConfig) -> Any:
    """Make Accelerate's plugin for FSDP or DeepSpeed; neither is tested, for want of several GPUs."""
    from accelerate.utils import DeepSpeedPlugin, FullyShardedDataParallelPlugin  # noqa: PLC0415  an extra

    if config.parallel == "fsdp":
        return FullyShardedDataParallelPlugin(fsdp_version=2, auto_wrap_policy="size_based_wrap", min_num_params=10**6)
    return DeepSpeedPlugin(
        zero_stage=2,
        gradient_accumulation_steps=config.grad_accum_steps,
        gradient_clipping=config.optimizer.grad_clip_norm,
    )
