"""`etude record`: a person, or the scripted demonstrator, shows the robot a task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from etude.cli.console import progress, say
from etude.cli.options import EVALUATION_SEEDS
from etude.cli.slots import Slot
from etude.core.errors import DeviceError, UserError
from etude.hardware import robots, teleoperators

if TYPE_CHECKING:
    from etude.data.dataset import DatasetWriter
    from etude.envs.robot_env import RobotEnv
    from etude.rollout.agents import Agent

MAX_FAILURES_IN_A_ROW = 10
RESUME_STRIDE = 10_007
"""Scenes between those of a recording and those of what is added to it, per episode there was."""


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """The dataset to record."""

    single_task: str
    """What is to be achieved, as one sentence."""
    repo_id: str = ""
    """Its name, such as me/blocks."""
    root: Path | None = None
    """Its folder. Default: by its name, where LeRobot keeps datasets."""
    num_episodes: int = 50
    """Episodes to record; with --resume, that many more."""
    fps: int = 30
    """Frames per second [1/s]."""
    episode_time_s: float = 60.0
    """Longest episode [s]."""
    reset_time_s: float = 60.0
    """Time between episodes to put things back, on a real robot [s]."""

    def __post_init__(self) -> None:
        if self.root is None and not self.repo_id:
            raise UserError("Where to? Give --dataset.root=FOLDER or --dataset.repo_id=NAME.")
        if self.num_episodes < 1 or self.fps < 1:
            raise UserError("--dataset.num_episodes and --dataset.fps should be at least 1.")

    @property
    def folder(self) -> Path:
        """The dataset's folder."""
        if self.root is not None:
            return self.root
        from etude.data import lerobot_home

        return lerobot_home() / self.repo_id


@dataclass(frozen=True, kw_only=True)
class Record:
    """Record demonstrations to a LeRobot v3.0 dataset. Every saved episode is safe at once."""

    robot: Annotated[Any, Slot(robots, "so101_follower")]
    """The robot that is driven."""
    teleop: Annotated[Any, Slot(teleoperators, "scripted")]
    """What it is driven with."""
    dataset: DatasetOptions
    """The dataset."""
    seed: int = 0
    """Decides the scenes and the demonstrator's variation, in simulation."""
    resume: bool = False
    """Add to a dataset that exists."""


COMMAND = Record


def run(command: Record) -> int:
    """Record the episodes; a demonstration that fails in simulation is discarded and shown again."""
    from etude.cli.parse import encode
    from etude.core.run import start
    from etude.data import create_dataset
    from etude.envs.robot_env import RobotEnv
    from etude.hardware.device import connected
    from etude.rollout.agents import TeleoperatorAgent

    robot, teleoperator = robots.build(command.robot), teleoperators.build(command.teleop)
    options = command.dataset
    with connected(robot, teleoperator):
        env = RobotEnv(robot, hz=options.fps)
        writer = create_dataset(
            options.folder,
            {**robot.observation, "action": robot.action},
            fps=options.fps,
            robot_type=robot.name,
            resume=command.resume,
        )
        run_folder = start("record", encode(command))
        try:
            discarded = record_episodes(env, TeleoperatorAgent(teleoperator), writer, command)
        finally:
            writer.close()
        run_folder.log("finished", episodes=writer.num_episodes, discarded=discarded, dataset=str(options.folder))
    say(f"{options.folder} now holds {writer.num_episodes} episodes ({discarded} failed demonstrations discarded).")
    return 0


def record_episodes(env: RobotEnv, agent: Agent, writer: DatasetWriter, command: Record) -> int:
    """Record until `num_episodes` are saved; give the number of demonstrations discarded."""
    from etude.rollout.loop import rollout
    from etude.rollout.sinks import RecordSink

    options = command.dataset
    is_judged = env.is_simulated
    sink = RecordSink(writer, options.single_task, keep=lambda success: success or not is_judged)
    target, discarded, in_a_row = writer.num_episodes + options.num_episodes, 0, 0
    # New scenes when more is recorded, and never those that skills are scored on.
    seed = (command.seed + RESUME_STRIDE * writer.num_episodes) % EVALUATION_SEEDS
    late = 0
    with progress("Recording", options.num_episodes) as line:
        while writer.num_episodes < target:
            outcome = rollout(env, agent, [sink], max_ticks=round(options.episode_time_s * options.fps), seed=seed)
            seed, late = seed + 1, late + outcome.late_ticks
            failed = is_judged and not outcome.success
            discarded, in_a_row = discarded + failed, (in_a_row + 1 if failed else 0)
            if in_a_row == MAX_FAILURES_IN_A_ROW:
                raise DeviceError(f"{in_a_row} demonstrations in a row failed. The saved ones are kept.")
            line.update(writer.num_episodes - target + options.num_episodes, f"{late} late ticks" if late else "")
            if not is_judged and writer.num_episodes < target:
                _wait_for_reset(options.reset_time_s)
    return discarded


def _wait_for_reset(longest_s: float) -> None:
    """Let a person put things back: until Enter, or for the time given."""
    import select
    import sys

    say(f"Put things back. Enter goes on; otherwise it goes on in {longest_s:.0f} s.")
    if sys.stdin.isatty():
        ready, _, _ = select.select([sys.stdin], [], [], longest_s)
        if ready:
            sys.stdin.readline()
    else:
        import time

        time.sleep(longest_s)
