"""One kind of work with policies, by Etude and by LeRobot in turns; `inference.py` and `train_step.py` say which."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rounds
import torch
from policy_cases import Case, make

Answer = dict[str, Any]
Side = Callable[[Path], tuple[Answer, Callable[[], Any]]]
"""Gets ready for what `make` left in a folder; gives what to tell of itself, and the work."""
PEER = Path(__file__).with_name("peer_policies.py")


def run(
    script: str, peer_command: str, cases: dict[str, Case], side: Side, about: Callable[[Case], Answer] = lambda _: {}
) -> None:
    """Measure all cases, or be Etude's side of one; `about` tells what else is to be known of a case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", default=",".join(cases))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        torch.set_num_threads(options.threads)
        rounds.answer(*side(options.side))
        return
    chosen = {name: cases[name] for name in options.cases.split(",")}
    results = {name: _measure(script, peer_command, case, options) | about(case) for name, case in chosen.items()}
    print(json.dumps(rounds.machine() | {"threads": options.threads, "rounds": options.rounds} | results, indent=2))


def _measure(script: str, peer_command: str, case: Case, options: argparse.Namespace) -> Answer:
    """Make the policy and let both work with it."""
    with tempfile.TemporaryDirectory() as folder:
        make(case, Path(folder))
        commands: dict[str, Sequence[str]] = {
            "etude": [sys.executable, script, f"--side={folder}", f"--threads={options.threads}"]
        }
        if os.environ.get("ETUDE_PEER"):
            peer = rounds.python(os.environ["ETUDE_PEER"])
            commands["lerobot"] = [peer, str(PEER), peer_command, f"--folder={folder}", f"--threads={options.threads}"]
        found = rounds.alternate(commands, rounds=options.rounds, repeats=case.repeats, threads=options.threads)
        return rounds.compared(found, folder, bar=case.bar)
