"""`etude record`: a person, or the scripted demonstrator, shows the robot a task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from etude.cli.console import progress, say
from etude.cli.options import EVALUATION_SEEDS
from etude.cli.slots import Slot
from etude.core.errors import DeviceError, UserError
from etude.hardware import robots, teleoperators

if TYPE_CHECKING:
    from etude.cli.keys import Keys
    from etude.data.dataset import DatasetWriter
    from etude.envs.robot_env import RobotEnv
    from etude.rollout.agents import Agent

MAX_FAILURES_IN_A_ROW = 10
AGAIN, STOP = "left", "escape"
"""Keys that discard the episode and show it again, and that stop recording."""
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
    vcodec: Literal["libsvtav1", "h264", "hevc", "auto"] = "libsvtav1"
    """Video encoder: libsvtav1 makes small files, h264 works the processor less, auto takes hardware where it is."""

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
    """Record demonstrations to a LeRobot v3.0 dataset. Every saved episode is safe at once.

    Right arrow or Enter ends an episode and keeps it, left arrow shows it again, Escape keeps it and stops.
    """

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
    from etude.cli.keys import listening
    from etude.cli.parse import encode
    from etude.core.run import start
    from etude.data import create_dataset
    from etude.data.formats.lerobot_v3.config import Config
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
            config=Config(vcodec=options.vcodec),
        )
        run_folder = start("record", encode(command))
        try:
            with listening() as keys:
                session = Session(env, TeleoperatorAgent(teleoperator), writer, command, keys)
                session.record()
        finally:
            writer.close()
            _mention_drafts(options.folder)
        facts = {"episodes": writer.num_episodes, "discarded": session.discarded, "late_ticks": session.late_ticks}
        run_folder.log("finished", dataset=str(options.folder), **facts)
    say(f"{options.folder} now holds {writer.num_episodes} episodes ({session.discarded} demonstrations discarded).")
    if session.late_ticks:
        say(f"{session.late_ticks} control ticks were late: see `etude dataset check {options.folder}`.")
    return 0


class Session:
    """Records episode after episode. Keys end one early: right keeps it, left shows it again, escape also stops."""

    def __init__(self, env: RobotEnv, agent: Agent, writer: DatasetWriter, command: Record, keys: Keys) -> None:
        from etude.rollout.agents import UntilStopped
        from etude.rollout.sinks import RecordSink

        self._env, self._writer, self._options, self._keys = env, writer, command.dataset, keys
        self._agent = UntilStopped(agent, self._is_ended)
        self._sink = RecordSink(writer, command.dataset.single_task, keep=self._keeps, timing=lambda: env.timing)
        # New scenes when more is recorded, and never those that skills are scored on.
        self._seed = (command.seed + RESUME_STRIDE * writer.num_episodes) % EVALUATION_SEEDS
        self._key: str | None = None
        self.discarded = self.late_ticks = 0

    def record(self) -> None:
        """Record until as many episodes are saved as were asked for, or somebody stops it."""
        target, in_a_row = self._writer.num_episodes + self._options.num_episodes, 0
        with progress("Recording", self._options.num_episodes) as line:
            while self._writer.num_episodes < target and self._key != STOP:
                before = self._writer.num_episodes
                self._record_one()
                in_a_row = 0 if self._writer.num_episodes > before or self._key else in_a_row + 1
                if in_a_row == MAX_FAILURES_IN_A_ROW:
                    raise DeviceError(f"{in_a_row} demonstrations in a row failed. The saved ones are kept.")
                done = self._writer.num_episodes - target + self._options.num_episodes
                line.update(done, f"{self.late_ticks} late ticks" if self.late_ticks else "")
                if not self._env.is_simulated and self._writer.num_episodes < target and self._key != STOP:
                    self._wait_for_reset()

    def _record_one(self) -> None:
        from etude.rollout.loop import rollout

        self._key, before = None, self._writer.num_episodes
        longest = round(self._options.episode_time_s * self._options.fps)
        outcome = rollout(self._env, self._agent, [self._sink], max_ticks=longest, seed=self._seed)
        self._seed += 1
        self.late_ticks += outcome.late_ticks
        self.discarded += self._writer.num_episodes == before

    def _is_ended(self) -> bool:
        self._key = self._keys.pressed() or self._key
        return self._key is not None

    def _keeps(self, success: bool) -> bool:
        return self._key != AGAIN and (success or not self._env.is_simulated)

    def _wait_for_reset(self) -> None:
        """Let a person put things back: until a key is pressed, or for the time given."""
        import time

        say(f"Put things back. Enter goes on; otherwise it goes on in {self._options.reset_time_s:.0f} s.")
        deadline = time.monotonic() + self._options.reset_time_s
        key = None
        while key is None and time.monotonic() < deadline:
            time.sleep(0.05)
            key = self._keys.pressed()
        self._key = key if key == STOP else self._key


def _mention_drafts(root: Path) -> None:
    from etude.data.draft import drafts

    if found := drafts(root):
        say(f"Recordings that broke off are kept ({len(found)}): `etude dataset recover {root}` shows them.")
