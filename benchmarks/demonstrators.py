"""How often the scripted demonstrator succeeds at each task, with what is pushed and worn out, as JSON.

    python benchmarks/demonstrators.py [--tasks=pick_place,stack,...] [--preset=plain|hard] [--noise=0.5] [--n=100]
        [--first_seed=500000]

The arm is driven through its driver; nothing is drawn. What a recording discards is counted as a failure here, and so
is a demonstration that takes longer than the environment allows (`max_seconds`).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

import numpy as np

from etude.envs import envs
from etude.envs.robot_env import RobotEnv
from etude.hardware import robots, teleoperators
from etude.rollout.agents import TeleoperatorAgent
from etude.rollout.evaluate import wilson
from etude.rollout.loop import rollout
from etude.sim.tasks import tasks
from etude.sim.world import begin_world

FIRST_SEED = 500_000
LONGEST = 3000
"""Ticks; the demonstrator gives up long before."""


def main() -> None:
    """Measure the tasks that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", default=",".join(tasks.names()))
    parser.add_argument("--preset", choices=("plain", "hard"), default="plain")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--first_seed", type=int, default=FIRST_SEED)
    options = parser.parse_args()
    for task in options.tasks.split(","):
        print(
            json.dumps(
                measured(task, options.preset, options.noise, range(options.first_seed, options.first_seed + options.n))
            ),
            flush=True,
        )


def measured(task: str, preset: str, noise: float, seeds: range) -> dict[str, Any]:
    """Give the success of a demonstration per seed and how long they took."""
    known, shown = envs.config(f"so101_{task}"), teleoperators.config("scripted")
    config = known.hard() if preset == "hard" else known()
    world = begin_world(config.task)
    robot = robots.build(robots.config("so101_follower")(port="sim", cameras={}))
    demonstrator = teleoperators.build(replace(shown.hard() if preset == "hard" else shown(), noise=noise))
    robot.connect()
    demonstrator.connect()
    env, agent = RobotEnv(robot), TeleoperatorAgent(demonstrator)
    outcomes = [rollout(env, agent, seed=seed, max_ticks=LONGEST) for seed in seeds]
    taken = np.array([outcome.ticks for outcome in outcomes if outcome.success]) / env.hz
    n, successes, in_time = len(seeds), len(taken), int((taken <= config.max_seconds).sum())
    demonstrator.disconnect()
    robot.disconnect()
    world.close()
    low, high = wilson(successes, n)
    return {
        "task": task,
        "preset": preset,
        "noise": noise,
        "n": n,
        "successes": successes,
        "interval": [round(low, 3), round(high, 3)],
        f"within {config.max_seconds:g} s": in_time,
        "median s": round(float(np.median(taken)), 1),
        "95 % s": round(float(np.percentile(taken, 95)), 1),
        "failed seeds": [seed for seed, outcome in zip(seeds, outcomes, strict=True) if not outcome.success],
    }


if __name__ == "__main__":
    main()
