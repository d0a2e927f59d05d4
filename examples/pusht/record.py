"""Record demonstrations of PushT by one who can do it, as a LeRobot dataset.

    python examples/pusht/record.py DATASET [--episodes=200] [--seed=0]

The T is seen by eight of its points. A demonstration that fails is not kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from etude.data import create_dataset
from etude.envs import envs
from etude.envs.pusht.demonstrator import Demonstrator
from etude.rollout.loop import rollout
from etude.rollout.sinks import RecordSink


def main() -> None:
    """Record as many as are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    record(options.dataset, options.episodes, options.seed)


def record(folder: Path, episodes: int, seed: int = 0) -> None:
    """Record `episodes` from the scene of `seed` on."""
    env = envs.build(envs.config("pusht").keypoints())
    writer = create_dataset(folder, {**env.observation, "action": env.action}, fps=round(env.hz))
    demonstrator, sink = Demonstrator(), RecordSink(writer, "Push the T onto its outline.", keep=bool)
    while writer.num_episodes < episodes:
        rollout(env, demonstrator, [sink], max_ticks=env.max_ticks, seed=seed)
        seed += 1
    writer.close()
    env.close()


if __name__ == "__main__":
    main()
