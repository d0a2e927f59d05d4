"""Whether bfloat16 is faster here."""

from __future__ import annotations

import time
from typing import Literal

import torch

SIZE, REPEATS = 512, 3
WORTHWHILE = 1.5
"""Gain below which casting back and forth would eat it."""


def uses_bf16(choice: Literal["auto", "on", "off"], device: torch.device) -> bool:
    """Decide whether to compute in bfloat16 on `device`.

    Graphics cards say whether they can. Processors differ by ten times either way, so a matrix product is timed.
    """
    if choice != "auto":
        return choice == "on"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    return _product_s(torch.float32) > WORTHWHILE * _product_s(torch.bfloat16)


def _product_s(dtype: torch.dtype) -> float:
    matrix = torch.ones(SIZE, SIZE, dtype=dtype)
    durations = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        torch.mm(matrix, matrix)
        durations.append(time.perf_counter() - began)
    return min(durations[1:])
