"""How long one chunk of the small ACT takes with one thread and with all, on an idle and on a busy machine, as JSON.

Busy means that another process computes on one core, as a browser or a second command would.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import time

import numpy as np
import torch

from etude.core import frame
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies import policies
from etude.policies.loaded import LoadedPolicy

REPEATS = 20
OBSERVATION = {
    "observation.state": Spec(shape=(6,), names=tuple("abcdef")),
    "observation.images.front": Spec(shape=(96, 96, 3), dtype="uint8"),
    "observation.images.wrist": Spec(shape=(96, 96, 3), dtype="uint8"),
}
ACTION = OBSERVATION["observation.state"]


def small_act() -> LoadedPolicy:
    """Make an untrained policy of the size that the command line trains."""
    config = policies.config("act").small()
    vector = Stats.of(np.random.default_rng(0).standard_normal((50, 6)))
    stats = {"observation.state": vector, "action": vector}
    return LoadedPolicy(
        policy=policies.build(config, OBSERVATION, ACTION),
        config=config,
        pipeline=config.pipeline(stats, OBSERVATION, ACTION),
        observation=OBSERVATION,
        action=ACTION,
    )


def milliseconds(policy: LoadedPolicy, threads: int) -> float:
    """Give the median time of one chunk [ms]."""
    torch.set_num_threads(threads)
    seen = frame.example(OBSERVATION, np.random.default_rng(0))
    policy.act(seen)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        policy.act(seen)
        times.append(time.perf_counter() - began)
    return round(1000 * statistics.median(times), 1)


def spin() -> None:
    """Keep one core busy."""
    while True:
        pass


def main() -> None:
    """Measure all four."""
    policy, cores = small_act(), os.cpu_count() or 1
    counts = {"one": 1, "all": cores}
    idle = {name: milliseconds(policy, count) for name, count in counts.items()}
    neighbour = multiprocessing.get_context("spawn").Process(target=spin, daemon=True)
    neighbour.start()
    time.sleep(1)
    busy = {name: milliseconds(policy, count) for name, count in counts.items()}
    neighbour.kill()
    print(json.dumps({"cores": cores, "unit": "ms a chunk", "idle": idle, "busy": busy}, indent=2))


if __name__ == "__main__":
    main()
