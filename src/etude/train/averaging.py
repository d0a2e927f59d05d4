"""Averaging over processes: gradients at every update, or weights now and then.

PyTorch's own way (DistributedDataParallel) sends pieces while the backward pass goes on, and imports its compiler.
Where the backward pass takes the core, nothing is gained by sending meanwhile: there is one message after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Together:
    """What the processes of a run do together in each update, all at once: nothing, alone or where others see to it."""

    def begin(self) -> None:
        """Come together before an update."""

    def share_gradients(self) -> None:
        """Come together after its backward pass."""

    def meet(self) -> None:
        """Come together after an update at which processes meet."""


class Averaging(Together):
    """Makes all processes go on with the mean of their gradients, and with the first one's weights and buffers."""

    def __init__(self, module: nn.Module) -> None:
        """Take a module, in all processes at once; give all of them the first one's weights."""
        self._parameters = [one for one in module.parameters() if one.requires_grad]
        self._buffers = _floats(module.buffers())
        sizes = [one.numel() for one in self._parameters]
        self._message = torch.zeros(sum(sizes) + len(sizes))
        *parts, self._is_there = self._message.split([*sizes, len(sizes)])
        self._parts = [part.view_as(one) for part, one in zip(parts, self._parameters, strict=True)]
        _spread([*module.parameters(), *self._buffers])

    def begin(self) -> None:
        """Give all processes the first one's buffers, such as statistics of batches."""
        _spread(self._buffers)

    def share_gradients(self) -> None:
        """Replace the gradients, of which one that no process has stays away."""
        for number, (one, part) in enumerate(zip(self._parameters, self._parts, strict=True)):
            self._is_there[number] = one.grad is not None
            part.zero_() if one.grad is None else part.copy_(one.grad)
        dist.all_reduce(self._message)
        is_there = self._is_there.tolist()
        self._message /= dist.get_world_size()
        for one, part, count in zip(self._parameters, self._parts, is_there, strict=True):
            one.grad = part.to(one.dtype) if count else None


class LocalUpdates(Together):
    """Lets each process learn by itself, and now and then makes all go on with the mean of what they have become.

    Local SGD (Stich, 2019), with the optimizer's moments averaged as well: after each meeting all processes hold the
    same, and a checkpoint that the first one writes is all there is.
    """

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Take a module, in all processes at once; give all of them the first one's weights."""
        self._weights = _floats([*module.parameters(), *module.buffers()])
        self._optimizer = optimizer
        _spread(self._weights)

    @torch.no_grad()
    def meet(self) -> None:
        """Average weights, buffers and moments."""
        moments = _floats(value for state in self._optimizer.state.values() for value in state.values())
        tensors = [*self._weights, *moments]
        message = _joined(tensors)
        dist.all_reduce(message)
        message /= dist.get_world_size()
        _hand_out(message, tensors)


@torch.no_grad()
def _spread(tensors: Sequence[Tensor]) -> None:
    if not tensors:
        return
    message = _joined(tensors)
    dist.broadcast(message, 0)
    _hand_out(message, tensors)


def _floats(tensors: Iterable[Tensor]) -> list[Tensor]:
    return [one for one in tensors if one.is_floating_point()]


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([one.float().reshape(-1) for one in tensors])


def _hand_out(message: Tensor, tensors: Sequence[Tensor]) -> None:
    for one, part in zip(tensors, message.split([one.numel() for one in tensors]), strict=True):
        one.copy_(part.view_as(one))
