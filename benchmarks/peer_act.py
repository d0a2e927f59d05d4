"""LeRobot's ACT with its defaults, trained for some minutes; runs with a Python that has LeRobot, see `peer.py`."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lerobot.configs.default import DatasetConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.datasets.factory import make_dataset
from lerobot.optim.factory import make_optimizer_and_scheduler
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.factory import make_policy, make_pre_post_processors
from lerobot.utils.random_utils import set_seed
from peer_commands import obey

Answer = dict[str, Any]
WEIGHTS = Path(torch.hub.get_dir(), "checkpoints", "resnet18-f37072fd.pth")
"""What LeRobot begins from; where it has not been downloaded, the backbone begins from random weights."""


def learns(root: str, out: str, minutes: str = "1", seed: int = 1000) -> Answer:
    """Train as `lerobot-train` does and leave a checkpoint, OUT/MINUTES, at each of the times.

    The clock starts with the first batch: what LeRobot takes to start is not counted. Its learning rate is constant,
    so that a checkpoint on the way is what a shorter training ends with.
    """
    config = _config(root, out, seed)
    set_seed(seed)
    dataset = make_dataset(config)
    policy = make_policy(cfg=config.policy, ds_meta=dataset.meta)
    before, after = make_pre_post_processors(policy_cfg=config.policy, dataset_stats=dataset.meta.stats)
    optimizer, _ = make_optimizer_and_scheduler(config, policy)
    loader = torch.utils.data.DataLoader(
        dataset, num_workers=config.num_workers, batch_size=config.batch_size, shuffle=True, prefetch_factor=2
    )
    batches, steps, checkpoints = _forever(loader), itertools.count(1), []
    policy.train()
    began = time.perf_counter()
    for text in minutes.split(","):
        step, loss = 0, 0.0
        while time.perf_counter() - began < 60 * float(text):
            step, loss = next(steps), _update(policy, optimizer, before(next(batches)))
        for each in (policy, before, after):
            each.save_pretrained(Path(out) / text)
        checkpoints.append({"minutes": float(text), "steps": step, "loss": loss})
    return {
        "lerobot": version("lerobot"), "batch_size": config.batch_size, "threads": torch.get_num_threads(),
        "backbone": "ImageNet" if WEIGHTS.exists() else "random weights", "checkpoints": checkpoints,
    }  # fmt: skip


def _config(root: str, out: str, seed: int) -> TrainPipelineConfig:
    """Give LeRobot's defaults."""
    weights = {} if WEIGHTS.exists() else {"pretrained_backbone_weights": None}
    config = TrainPipelineConfig(
        dataset=DatasetConfig(repo_id="etude/peer", root=root),
        policy=ACTConfig(device="cpu", push_to_hub=False, **weights),
        output_dir=Path(out),
        seed=seed,
    )
    config.optimizer, config.scheduler = config.policy.get_optimizer_preset(), config.policy.get_scheduler_preset()
    return config


def _update(policy: Any, optimizer: Any, batch: Any) -> float:
    loss, _ = policy.forward(batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(policy.parameters(), policy.config.get_optimizer_preset().grad_clip_norm)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def _forever(loader: Any) -> Iterator[Any]:
    while True:
        yield from loader


if __name__ == "__main__":
    sys.exit(obey(sys.argv[1:], {"learns": learns}))
