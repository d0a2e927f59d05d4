"""One chunk from one frame beside LeRobot's, by turns in one run, counted in seconds of the processor.

    python benchmarks/inference.py [--cases=act_640x480,...] [--rounds=5] [--threads=1]

Both get uint8 pictures and give actions in the dataset's units, so converting and normalising count. Both have the same
weights and, where they sample, the same noise. `difference` is between the two programs' chunks, as a share of the
largest action; LeRobot computes in fp32. Without `ETUDE_PEER` (see `peer.py`) only Etude is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rounds
import torch
from policy_cases import INFERENCE, Case, make

from etude.policies import checkpoint

PEER = Path(__file__).with_name("peer_policies.py")


def measure(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Make the policy and let both act."""
    with tempfile.TemporaryDirectory() as folder:
        make(case, Path(folder))
        commands = {"etude": [sys.executable, __file__, f"--side={folder}", f"--threads={options.threads}"]}
        if os.environ.get("ETUDE_PEER"):
            peer = rounds.python(os.environ["ETUDE_PEER"])
            commands["lerobot"] = [peer, str(PEER), "infers", f"--folder={folder}", f"--threads={options.threads}"]
        found = rounds.alternate(commands, rounds=options.rounds, repeats=case.repeats, threads=options.threads)
        return rounds.compared(found, folder, bar=case.bar)


def side(folder: Path) -> tuple[dict[str, Any], Callable[[], Any]]:
    """Get ready as `etude run` does."""
    loaded = checkpoint.load(folder / "etude")
    with np.load(folder / "frame.npz") as stored:
        frame = dict(stored)
    np.save(folder / "etude.npy", loaded.act(frame))
    return {"torch": torch.__version__}, lambda: loaded.act(frame)


def main() -> None:
    """Measure all cases, or be one side of one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", default=",".join(INFERENCE))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        torch.set_num_threads(options.threads)
        rounds.answer(*side(options.side))
        return
    results = {name: measure(INFERENCE[name], options) for name in options.cases.split(",")}
    print(json.dumps(rounds.machine() | {"threads": options.threads, "rounds": options.rounds} | results, indent=2))


if __name__ == "__main__":
    main()
