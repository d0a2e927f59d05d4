"""Convolutions along a short time.

With few times a convolution is bound by reading its weights, and on a processor the library's own kernels spend most of
theirs on putting weights in order. As a matrix product it reads them once. In half precision there is half to read;
products are still summed in single precision, so that a result is off by some 2e-4 of the largest.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

MOST_ROWS, LEAST_WEIGHTS = 64, 1 << 18
"""Up to so many rows, and from so many weights on, a product is bound by reading the weights."""
HALF_ENGINES = ("x86", "fbgemm")


class _Product(nn.Module):
    """A product with weights that, while acting, are kept a second time as the processor reads them best."""

    weight: Tensor
    bias: Tensor | None
    is_half: bool = False
    _packed: tuple[int, Any] | None = None

    def train(self, mode: bool = True) -> _Product:
        """Forget the second copy, since weights are about to change."""
        if mode:
            self._packed = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the second copy behind when the layer is copied or sent elsewhere."""
        return self.__dict__ | {"_packed": None}

    def product(self, rows: Tensor, matrix: Tensor, bias: Tensor | None) -> Tensor:
        """Multiply (batch, time, before) by a `matrix` (after, before) that is a view of the weights."""
        num_rows = rows.shape[0] * rows.shape[1]
        if num_rows > MOST_ROWS or matrix.numel() < LEAST_WEIGHTS or not self._may_pack(rows):
            return F.linear(rows, matrix, bias)
        is_half = self.is_half and torch.backends.quantized.engine in HALF_ENGINES
        if self._packed is None or self._packed[0] != self.weight._version:  # noqa: SLF001  counts changes in place
            whole = matrix.detach().contiguous()
            packed = torch.ops.quantized.linear_prepack_fp16(whole, bias) if is_half else _ordered(whole, num_rows)
            self._packed = self.weight._version, packed  # noqa: SLF001
        if is_half:
            return torch.ops.quantized.linear_dynamic_fp16(rows, self._packed[1])
        multiply = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001
        return multiply(rows.contiguous(), self._packed[1], bias, "none", [], "")

    def _may_pack(self, rows: Tensor) -> bool:
        is_plain = rows.dtype == self.weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        is_acting = not self.training and not torch.is_grad_enabled()
        return is_plain and is_acting and torch.backends.mkldnn.is_available() and not torch.compiler.is_compiling()


class TimeConv(_Product, nn.Conv1d):
    """`torch.nn.Conv1d`, faster on a processor; the same numbers up to rounding, and the same names."""

    def __init__(self, before: int, after: int, kernel_size: int, *, stride: int = 1, padding: int = 0) -> None:
        super().__init__(before, after, kernel_size, stride, padding)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  its name in PyTorch
        """Map (batch, before, time) to (batch, after, time / stride)."""
        if input.device.type != "cpu":
            return nn.Conv1d.forward(self, input)
        rows = _columns(input, self.kernel_size[0], self.stride[0], int(self.padding[0]))
        return self.product(rows, self.weight.flatten(1), self.bias).transpose(1, 2)


class TimeDoubling(_Product, nn.ConvTranspose1d):
    """A `torch.nn.ConvTranspose1d` of size 4, stride 2 and padding 1, faster on a processor."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 4, 2, 1)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002  as in PyTorch
        """Map (batch, channels, time) to (batch, channels, 2 * time)."""
        if input.device.type != "cpu":
            return nn.ConvTranspose1d.forward(self, input, output_size)
        each = self.product(input.transpose(1, 2), self.weight.flatten(1).t(), None)
        late, even, odd, early = each.unflatten(2, (-1, 4)).transpose(1, 2).unbind(3)  # by what each weight adds to
        even = even + F.pad(early, (1, 0))[..., :-1]
        odd = odd + F.pad(late, (0, 1))[..., 1:]
        doubled = torch.stack([even, odd], -1).flatten(2)
        return doubled if self.bias is None else doubled + self.bias[:, None]


def halve(network: nn.Module) -> None:
    """Let the convolutions of `network` act with large weights in half precision, where the processor can."""
    for module in network.modules():
        if isinstance(module, _Product):
            module.is_half = True


def _ordered(matrix: Tensor, num_rows: int) -> Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(matrix, num_rows)  # noqa: SLF001  what torch.compile uses


def _columns(x: Tensor, size: int, stride: int, padding: int) -> Tensor:
    """Give for each time all that a convolution of `size` reads there: (batch, time, channel * size)."""
    if size == stride == 1:
        return x.transpose(1, 2)
    padded = F.pad(x, (padding, padding))
    last = padded.shape[-1] - size + 1
    parts = [padded[..., start : start + last : stride] for start in range(size)]
    return torch.stack(parts, -1).transpose(1, 2).flatten(2)
