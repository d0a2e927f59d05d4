"""Training updates beside LeRobot's, by turns in one run, counted in seconds of the processor.

    python benchmarks/train_step.py [--cases=act_96x96,...] [--rounds=5] [--threads=1]

An update is loss, gradients, clipping and one step of the optimizer on a batch that is there already; for the small
policy without cameras it is the whole trainer, samples from the dataset included. Both start from the same weights and
compute what their trainers compute by default: LeRobot's AdamW or Adam goes through the weights tensor by tensor; ours
is fused, and in the whole trainer keeps a moving average of the weights, which LeRobot does not. Whether bfloat16 is
used is measured first, as in training. `difference` is between the two programs' chunks for one frame before the first
update, as a share of the largest action. Without `ETUDE_PEER` (see `peer.py`) only Etude is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from policy_cases import TRAINING, Case
from policy_rounds import run

from etude.data.ahead import ahead
from etude.policies import checkpoint
from etude.train.config import TrainConfig
from etude.train.precision import uses_bf16
from etude.train.setup import prepare
from etude.train.update import update


def side(folder: Path) -> tuple[dict[str, Any], Callable[[], Any]]:
    """Get ready as Etude's trainer does."""
    loaded = checkpoint.load(folder / "etude")
    with np.load(folder / "frame.npz") as stored:
        np.save(folder / "etude.npy", loaded.act(dict(stored)))
    bf16 = uses_bf16("auto", torch.device("cpu"))
    about = {"torch": torch.__version__, "bf16": bf16, "parameters": sum(p.numel() for p in loaded.policy.parameters())}
    if (folder / "dataset").exists():
        return about, _trainer(folder, loaded.config)
    with np.load(folder / "batch.npz") as stored:
        batch = {key: torch.from_numpy(stored[key]) for key in stored.files}
    return about, _step(loaded, batch, bf16)


def _step(loaded: Any, batch: Any, bf16: bool) -> Callable[[], Any]:
    config, policy = loaded.config, loaded.policy.train()
    optimizer = torch.optim.AdamW(
        policy.parameter_groups(), lr=config.optimizer_lr, weight_decay=config.optimizer_weight_decay, fused=True
    )

    def update() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss, _ = policy.loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 10.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return update


def _trainer(folder: Path, config: Any) -> Callable[[], Any]:
    """Give the trainer's own update, with the samples that it reads."""
    run = TrainConfig(
        datasets=(folder / "dataset",), policy=config, output_dir=folder / "run", steps=10**6,
        batch_size=int((folder / "batch_size").read_text()), device="cpu",
    )  # fmt: skip
    setup = prepare(run, None, torch.device("cpu"))
    batches = iter(ahead(setup.draw, setup.read, run.steps))
    return lambda: update(setup, list(islice(batches, 1)))


def about(case: Case) -> dict[str, Any]:
    """Tell how large a batch is, and whether its samples come from a dataset."""
    return {"batch": case.batch, "whole_trainer": not case.size[0]}


if __name__ == "__main__":
    run(__file__, "trains", TRAINING, side, about)
