"""Muon: a step along all directions of a kernel alike, where Adam's follows the few that the gradient is full of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Brings singular values of 0 to 1 to about 1 in `_ROUNDS`; found by Jordan et al."""
_ROUNDS = 5
_MOMENTUM = 0.9
_LIKE_ADAM = 0.2
"""Root mean square of the values of Adam's steps, in learning rates."""


class Orthogonalised(torch.optim.Optimizer):
    """Stands before AdamW: kernels of convolutions take Muon's steps, and AdamW does the rest.

    Muon (Jordan et al., 2024), at AdamW's rates and weight decay as steps are scaled to be as long (Liu et al., 2025).
    PyTorch's own takes matrices alone and computes in bfloat16, which many processors are slow at.
    Linear layers are left to AdamW: at small batches making a wide matrix orthogonal costs more than its gradient.
    """

    def step(self, closure: Any = None) -> Any:
        """Take a step; gradients of kernels are used up by it."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.ndim == 4 and weight.grad is not None:
                    self._turn(weight, group["lr"], group["weight_decay"])
                    weight.grad = None  # so AdamW passes it over
        return super().step(closure)

    @torch.no_grad()
    def _turn(self, weight: Tensor, rate: float, decay: float) -> None:
        state = self.state[weight]
        if not state:
            state |= {"step": torch.zeros(()), "momentum": torch.zeros_like(weight)}
        state["step"] += 1
        momentum = state["momentum"].mul_(_MOMENTUM).add_(weight.grad)
        direction = orthogonal((weight.grad + _MOMENTUM * momentum).flatten(1))
        length = _LIKE_ADAM * max(direction.shape) ** 0.5
        weight.mul_(1 - rate * decay).add_(direction.view(weight.shape), alpha=-rate * length)


def orthogonal(matrix: Tensor) -> Tensor:
    """Give about the nearest matrix whose singular values are all 1, by Newton and Schulz's iteration."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    found = (matrix.T if is_tall else matrix) / (matrix.norm() + 1e-7)
    linear, cubic, quintic = _QUINTIC
    for _ in range(_ROUNDS):
        square = found @ found.T
        found = linear * found + (cubic * square + quintic * square @ square) @ found
    return found.T if is_tall else found
