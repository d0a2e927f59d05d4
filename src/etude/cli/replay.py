"""`etude replay`: the robot does a recorded episode again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from etude.cli.console import say
from etude.cli.slots import Slot
from etude.cli.watched import Watched
from etude.core.errors import UserError
from etude.hardware import robots
from etude.sim.tasks import tasks

if TYPE_CHECKING:
    import numpy as np

    from etude.cli.watched import Drive
    from etude.data.dataset import Dataset
    from etude.hardware.device import Robot


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
class Replay(Watched):
    """Play the recorded actions of one episode on the robot, at the rate they were recorded.

    The arm goes gently to where the recording begins. The space bar holds it, Escape or Ctrl-C stops.
    """

    robot: Annotated[Any, Slot(robots, "so101_follower")]
    """The robot that moves."""
    dataset: RecordedEpisode
    """The recording."""
    seed: int = 0
    """Decides the scene, in simulation."""
    task: Annotated[Any, Slot(tasks, "pick_place")]
    """What is on the table of a simulated robot; a real one takes no notice."""


COMMAND = Replay
KEYS = "space: hold the arm   esc: stop"
_APPROACH_S = 15.0
"""How long the arm may take to come to where the recording begins [s]."""


def run(command: Replay) -> int:
    """Replay the episode and say how far the robot strayed from the recording."""
    import numpy as np

    from etude.cli.watched import driving, robot_of
    from etude.data import open_dataset
    from etude.data.units import tells_degrees
    from etude.rollout.agents import ReplayAgent
    from etude.rollout.provenance import check_units
    from etude.rollout.sinks import StateSink

    dataset = open_dataset(command.dataset.root)
    actions, states = _recorded(dataset, command.dataset)
    title = f"Replaying episode {command.dataset.episode} of {command.dataset.root}"
    watched = StateSink()
    with robot_of(command) as robot:
        _check_joints(dataset, robot)
        check_units(robot, tells_degrees(dataset), f"The recording {command.dataset.root}")
        with driving(command, robot, title=title, fps=dataset.fps, keys=KEYS) as drive:
            if not drive.env.is_simulated:
                _approach(drive, actions[0])
            if drive.wishes.wants_stop:
                actions = actions[:0]
            seconds = len(actions) / dataset.fps
            outcome = drive.rollout(ReplayAgent(actions), [watched], phase="replay", seconds=seconds, seed=command.seed)
    if not outcome.ticks:
        say("Stopped before the first frame.")
        return 0
    error = np.abs(np.stack(watched.states) - states[: outcome.ticks]).mean()
    say(f"Replayed {outcome.ticks} frames in {outcome.duration_s:.1f} s; the joints were {error:.2f} off on average.")
    return 0


def _recorded(dataset: Dataset, chosen: RecordedEpisode) -> tuple[np.ndarray, np.ndarray]:
    """Give the episode's actions and states."""
    from etude.core.frame import ACTION, STATE
    from etude.data.dataset import episode_of

    episode = episode_of(dataset, chosen.episode)
    rows = slice(episode.start, episode.stop)
    return dataset.column(ACTION)[rows], dataset.column(STATE)[rows]


def _check_joints(dataset: Dataset, robot: Robot) -> None:
    from etude.core.frame import ACTION

    if dataset.specs[ACTION].names != robot.action.names:
        recorded, present = ", ".join(dataset.specs[ACTION].names), ", ".join(robot.action.names)
        raise UserError(f"The recording moves {recorded}; this robot has {present}.")


def _approach(drive: Drive, pose: np.ndarray) -> None:
    """Bring a real arm to where the recording begins, and say how far that was."""
    from etude.rollout.steering import Approach

    approach = Approach(pose, drive.env.robot, drive.env.hz)
    drive.rollout(approach, phase="going to where the recording begins", seconds=_APPROACH_S)
    if approach.was_off:
        joint, apart = approach.was_off
        say(f"{joint} was {apart:.1f} off where the recording begins; the arm went there gently.")
