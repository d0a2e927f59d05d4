"""How long a policy takes for its chunks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PERCENTILES = (50, 95, 99)


def summary(latencies_s: Sequence[float]) -> dict[str, float]:
    """Give `p50_s`, `p95_s`, `p99_s` and `max_s`; nothing where nothing was measured."""
    if not len(latencies_s):
        return {}
    found = {f"p{share}_s": float(np.percentile(latencies_s, share)) for share in PERCENTILES}
    return found | {"max_s": float(np.max(latencies_s))}


def sentence(latencies_s: Sequence[float]) -> str:
    """Tell it in one line, in milliseconds."""
    if not len(latencies_s):
        return "No chunk was asked for."
    parts = [f"{name.removesuffix('_s')} {1000 * value:.0f}" for name, value in summary(latencies_s).items()]
    chunks = "1 chunk" if len(latencies_s) == 1 else f"{len(latencies_s)} chunks"
    return f"{chunks} of actions, computed in {', '.join(parts)} ms."
