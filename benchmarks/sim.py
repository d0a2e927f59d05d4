"""How much faster than real time the simulated arm works, on one core, as JSON.

    python benchmarks/sim.py [--task=pick_place] [--preset=plain|hard] [--episodes=12] [--profile]

Two 96x96 cameras, 30 ticks a second, everything through the whole driver stack: packets are written to the simulated
servos and their replies parsed in every tick. Once the scripted demonstrator drives, once the arm is sent to the same
place in every tick, which leaves the simulation and the drivers alone. The process is bound to one core. Where others
use the machine, CPU time is the fairer figure; wall time is what a user waits.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import time
from collections.abc import Callable
from typing import Any

BAR = 10.0
"""Simulated seconds per second on one core."""
SIZE = {"width": 96, "height": 96}
CONSTANT_TICKS = 120
PROFILED_LINES = 30


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--preset", choices=("plain", "hard"), default="plain")
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    demonstrated, constant = drivers(options.task, options.preset)
    demonstrated(0)  # the first one builds renderers and warms caches up
    if options.profile:
        profile(demonstrated)
        return
    answer = {
        "task": options.task,
        "preset": options.preset,
        "scripted demonstrator": measured(demonstrated, options.episodes),
        "constant action": measured(constant, options.episodes),
    }
    answer["bar"] = f"scripted demonstrator >= {BAR:g} x real time"
    answer["meets the bar"] = answer["scripted demonstrator"]["times real time, CPU"] >= BAR
    print(json.dumps(answer, indent=2))


def drivers(task: str, preset: str) -> tuple[Callable[[int], int], Callable[[int], int]]:
    """Give two functions that run the episode of a seed and count its ticks: demonstrated, and with a constant goal."""
    from dataclasses import replace  # noqa: PLC0415  all is imported on the chosen core

    from etude.envs import envs  # noqa: PLC0415
    from etude.hardware import teleoperators  # noqa: PLC0415
    from etude.rollout.agents import TeleoperatorAgent  # noqa: PLC0415
    from etude.rollout.loop import rollout  # noqa: PLC0415

    known, shown = envs.config(f"so101_{task}"), teleoperators.config("scripted")
    is_hard = preset == "hard"
    env = envs.build(replace(known.hard() if is_hard else known(), **SIZE))
    demonstrator = teleoperators.build(shown.hard() if is_hard else shown())
    demonstrator.connect()
    agent = TeleoperatorAgent(demonstrator)

    def constant(seed: int) -> int:
        action = env.reset(seed)["observation.state"]
        for _ in range(CONSTANT_TICKS):
            env.step(action)
        return CONSTANT_TICKS

    return (lambda seed: rollout(env, agent, seed=seed).ticks), constant


def measured(episode: Callable[[int], int], count: int, hz: float = 30.0) -> dict[str, Any]:
    """Run `count` episodes and give the rates over all of them, and of the least disturbed one."""
    spent: list[tuple[int, float, float]] = []
    for seed in range(count):
        cpu, wall = time.process_time(), time.perf_counter()
        ticks = episode(seed)
        spent.append((ticks, time.process_time() - cpu, time.perf_counter() - wall))
    ticks, cpu, wall = (sum(column) for column in zip(*spent, strict=True))
    return {
        "episodes": count,
        "simulated s": round(ticks / hz, 1),
        "times real time, CPU": round(ticks / hz / cpu, 2),
        "times real time, wall": round(ticks / hz / wall, 2),
        "times real time, CPU, best episode": round(max(ticks / hz / cpu for ticks, cpu, _ in spent), 2),
        "CPU ms per tick": round(1000 * cpu / ticks, 2),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def profile(episode: Callable[[int], int]) -> None:
    """Print what takes the time."""
    with cProfile.Profile() as profiler:
        for seed in range(3):
            episode(seed)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(PROFILED_LINES)


if __name__ == "__main__":
    main()
