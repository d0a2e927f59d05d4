"""Convolutions along a short time.

With few times a convolution is bound by reading its weights, and on a processor the library's own kernels spend most of
theirs on putting weights in order. As a matrix product it reads them once.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

MOST_ROWS, LEAST_WEIGHTS = 64, 1 << 18
"""Up to so many rows, and from so many weights on, a product is bound by reading the weights."""


class TimeConv(nn.Conv1d):
    """`torch.nn.Conv1d` of stride 1, faster on a processor; the same numbers up to rounding, and the same names.

    While acting, large weights are kept a second time in the order in which the processor reads them best.
    """

    def __init__(self, before: int, after: int, kernel_size: int, *, padding: int = 0) -> None:
        super().__init__(before, after, kernel_size, padding=padding)
        self._packed: tuple[int, Tensor] | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  its name in PyTorch
        """Map (batch, before, time) to (batch, after, time)."""
        if input.device.type != "cpu":
            return super().forward(input)
        rows = _columns(input, self.kernel_size[0], int(self.padding[0]))
        return self._product(rows).transpose(1, 2)

    def train(self, mode: bool = True) -> TimeConv:
        """Forget the second copy, since weights are about to change."""
        if mode:
            self._packed = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, object]:
        """Leave the second copy behind when the layer is copied or sent elsewhere."""
        return self.__dict__ | {"_packed": None}

    def _product(self, rows: Tensor) -> Tensor:
        weight, num_rows = self.weight.flatten(1), rows.shape[0] * rows.shape[1]
        is_packed = num_rows <= MOST_ROWS and weight.numel() >= LEAST_WEIGHTS and self._may_pack(rows)
        if not is_packed:
            return F.linear(rows, weight, self.bias)
        if self._packed is None or self._packed[0] != self.weight._version:  # noqa: SLF001  counts changes in place
            order = torch.ops.mkldnn._reorder_linear_weight  # noqa: SLF001  what torch.compile uses
            self._packed = self.weight._version, order(weight.detach(), num_rows)  # noqa: SLF001
        multiply = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001
        return multiply(rows, self._packed[1], self.bias, "none", [], "")

    def _may_pack(self, rows: Tensor) -> bool:
        is_plain = rows.dtype == self.weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        is_acting = not self.training and not torch.is_grad_enabled()
        return is_plain and is_acting and torch.backends.mkldnn.is_available() and not torch.compiler.is_compiling()


def _columns(x: Tensor, size: int, padding: int) -> Tensor:
    """Give for each time all that a convolution of `size` reads there: (batch, time, channel * size)."""
    if size == 1:
        return x.transpose(1, 2)
    length = x.shape[-1] + 2 * padding - size + 1
    padded = F.pad(x, (padding, padding))
    return torch.stack([padded[..., start : start + length] for start in range(size)], -1).transpose(1, 2).flatten(2)
