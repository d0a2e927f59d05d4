"""How often each policy succeeds after some minutes of training without cameras, as JSON lines.

    python benchmarks/learning.py FOLDER [--tasks=pusht,pick_place] [--policies=act,diffusion,flow,vqbet] [--jobs=2]
        [--n=200] [--seed=0]

Demonstrations are made once in FOLDER by those who can do the task: 300 of PushT, seen by eight points of the T, and
100 of picking a block on the simulated SO-101, seen by its pose. Then `etude train` and `etude eval` do what the
printed commands say, each on one thread, `jobs` at a time. Scenes of the evaluation are none of those shown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ETUDE = [sys.executable, "-m", "etude"]


@dataclass(frozen=True)
class Task:
    """Something to learn."""

    record: tuple[str, ...]
    """The command that makes demonstrations, but for the folder."""
    env: tuple[str, ...]
    """The options of `etude eval`."""
    steps: dict[str, int]
    """Updates of each policy."""
    options: tuple[str, ...] = ()
    """Further options of `etude train`."""


TASKS = {
    "pusht": Task(
        record=(sys.executable, str(ROOT / "examples" / "pusht" / "record.py"), "--episodes=300", "--seed=1000"),
        env=("--env.type=pusht", "--env.preset=keypoints"),
        steps={"act": 3000, "diffusion": 1900, "flow": 2500, "vqbet": 7000},
    ),
    "pick_place": Task(
        record=(
            *ETUDE, "record", "--robot.type=so101_follower", "--robot.port=sim", "--robot.cameras={}",
            "--task.poses=true", "--dataset.num_episodes=100", "--dataset.single_task=Put the red block into the bin.",
        ),
        env=("--env.type=so101_pick_place", "--env.task.poses=true", "--env.cameras"),
        steps={"act": 3000, "diffusion": 1900, "flow": 2500, "vqbet": 7000},
    ),
}  # fmt: skip


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--policies", default="act,diffusion,flow,vqbet")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pairs = [(task, policy) for task in options.tasks.split(",") for policy in options.policies.split(",")]
    for task in options.tasks.split(","):
        demonstrate(options.folder / task, TASKS[task])
    with ThreadPoolExecutor(options.jobs) as pool:
        for row in pool.map(lambda pair: measured(options.folder, *pair, options.n, options.seed), pairs):
            print(json.dumps(row), flush=True)


def demonstrate(folder: Path, task: Task) -> None:
    """Make the demonstrations, unless they are there."""
    if folder.exists():
        return
    is_etude = task.record[: len(ETUDE)] == tuple(ETUDE)
    called([*task.record, f"--dataset.root={folder}" if is_etude else str(folder)])


def measured(folder: Path, name: str, policy: str, n: int, seed: int) -> dict[str, Any]:
    """Train a policy and score it."""
    task, run = TASKS[name], folder / f"{name}-{policy}-{seed}"
    train = [
        "train", f"--dataset.root={folder / name}", f"--policy.type={policy}", "--policy.preset=small",
        f"--steps={task.steps[policy]}", f"--save_freq={task.steps[policy]}", "--holdout_episodes=0", f"--seed={seed}",
        "--num_threads=1", *task.options,
    ]  # fmt: skip
    began = time.monotonic()
    called([*ETUDE, *train, f"--output_dir={run}"])
    minutes = (time.monotonic() - began) / 60
    evaluate = ["eval", f"--policy.path={run / 'checkpoints' / 'last'}", *task.env, f"--eval.n_episodes={n}"]
    told = called(
        [*ETUDE, *evaluate, f"--output_dir={run}-eval", "--eval.num_processes=1", "--eval.batch_size=10", "--json"]
    )
    score = json.loads(told.splitlines()[-1])
    return {"task": name, "policy": policy, "minutes": round(minutes, 1), "train": " ".join(train), **score}


def called(command: list[str]) -> str:
    """Run a command and give what it prints; end with what it says where it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
