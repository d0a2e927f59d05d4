"""One chunk from one frame beside LeRobot's, by turns in one run, counted in seconds of the processor.

    python benchmarks/inference.py [--cases=act_640x480,...] [--rounds=5] [--threads=1]

Both get uint8 pictures and give actions in the dataset's units, so converting and normalising count. Both have the same
weights and, where they sample, the same noise. `difference` is between the two programs' chunks, as a share of the
largest action; LeRobot computes in fp32. Without `ETUDE_PEER` (see `peer.py`) only Etude is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from policy_cases import INFERENCE
from policy_rounds import run

from etude.policies import checkpoint


def side(folder: Path) -> tuple[dict[str, Any], Callable[[], Any]]:
    """Get ready as `etude run` does."""
    loaded = checkpoint.load(folder / "etude")
    with np.load(folder / "frame.npz") as stored:
        frame = dict(stored)
    np.save(folder / "etude.npy", loaded.act(frame))
    return {"torch": torch.__version__}, lambda: loaded.act(frame)


if __name__ == "__main__":
    run(__file__, "infers", INFERENCE, side)
