"""What to do when memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from etude.core.errors import UserError
from etude.train.config import TrainConfig

_SIGNS = ("can't allocate memory", "not enough memory", "out of memory")
"""How PyTorch's allocators say it, where they have no error of their own for it."""


@contextmanager
def sparing(config: TrainConfig) -> Iterator[None]:
    """Say, of a block that runs out of memory, how the same is learned with less of it."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise UserError(_advice(config)) from error
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _SIGNS):
            raise
        raise UserError(_advice(config)) from error


def _advice(config: TrainConfig) -> str:
    told = f"Memory ran out with batches of {config.batch_size}."
    if config.batch_size == 1:
        return f"{told} Make pictures smaller (such as --policy.image_size), or the policy."
    both = config.batch_size * config.grad_accum_steps
    size = next(size for size in range(config.batch_size // 2, 0, -1) if both % size == 0)
    return f"{told} The same is learned with less: --batch_size={size} --grad_accum_steps={both // size}"
