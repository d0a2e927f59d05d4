"""`etude replay`: the robot does a recorded episode again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from etude.cli.console import say
from etude.cli.slots import Slot
from etude.core.errors import UserError
from etude.hardware import robots


@dataclass(frozen=True, kw_only=True)
class RecordedEpisode:
    """The episode to replay."""

    root: Path
    """The dataset's folder."""
    repo_id: str = ""
    """The dataset's name; the folder decides."""
    episode: int = 0
    """Which episode, from 0."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Play the recorded actions of one episode on the robot, at the rate they were recorded."""

    robot: Annotated[Any, Slot(robots, "so101_follower")]
    """The robot that moves."""
    dataset: RecordedEpisode
    """The recording."""
    seed: int = 0
    """Decides the scene, in simulation."""


COMMAND = Replay


def run(command: Replay) -> int:
    """Replay the episode and say how far the robot strayed from the recording."""
    import numpy as np

    from etude.core.frame import ACTION, STATE
    from etude.data import open_dataset
    from etude.envs.robot_env import RobotEnv
    from etude.hardware.device import connected
    from etude.rollout.agents import ReplayAgent
    from etude.rollout.loop import rollout
    from etude.rollout.sinks import StateSink

    dataset = open_dataset(command.dataset.root)
    number, episodes = command.dataset.episode, dataset.episodes
    if not 0 <= number < len(episodes):
        raise UserError(f"{command.dataset.root} has episodes 0 to {len(episodes) - 1}; there is no {number}.")
    rows = slice(episodes[number].start, episodes[number].stop)
    actions, states = dataset.column(ACTION)[rows], dataset.column(STATE)[rows]
    robot = robots.build(command.robot)
    if dataset.specs[ACTION].names != robot.action.names:
        recorded, present = ", ".join(dataset.specs[ACTION].names), ", ".join(robot.action.names)
        raise UserError(f"The recording moves {recorded}; this robot has {present}.")
    with connected(robot):
        watched = StateSink()
        env = RobotEnv(robot, hz=dataset.fps)
        outcome = rollout(env, ReplayAgent(actions), [watched], max_ticks=len(actions), seed=command.seed)
    error = np.abs(np.stack(watched.states) - states).mean()
    say(f"Replayed {outcome.ticks} frames in {outcome.duration_s:.1f} s; the joints were {error:.2f} off on average.")
    return 0
