"""`etude record`: a person, or the scripted demonstrator, shows the robot a task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from etude.cli.console import say
from etude.cli.record_dataset import check_patience, first_seed, recording
from etude.cli.slots import Slot
from etude.cli.watched import Watched
from etude.core.errors import UserError
from etude.hardware import robots, teleoperators
from etude.sim.tasks import tasks

if TYPE_CHECKING:
    from etude.cli.watched import Drive
    from etude.data.dataset import DatasetWriter
    from etude.rollout.agents import Agent


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
    """Time between episodes to put things back, on a real robot; it may be driven meanwhile [s]."""
    vcodec: Literal["libsvtav1", "h264", "hevc", "auto"] | None = None
    """Video encoder: libsvtav1 makes small files, h264 works the processor less, auto takes hardware where it is.
    Default: libsvtav1, and in simulation h264 at its fastest and as good, since nothing else would take as long."""

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
class Record(Watched):
    """Record demonstrations to a LeRobot v3.0 dataset. Every saved episode is safe at once.

    Right arrow or Enter ends an episode and keeps it, left arrow shows it again, Escape keeps it and stops. The space
    bar holds the arm where it is and lets it go on. Ctrl-C stops and leaves the episode as a draft.
    """

    robot: Annotated[Any, Slot(robots, "so101_follower")]
    """The robot that is driven."""
    teleop: Annotated[Any, Slot(teleoperators, "scripted")]
    """What it is driven with."""
    dataset: DatasetOptions
    """The dataset."""
    warmup_time_s: float = 0.0
    """How long to drive a real robot before the first episode, without recording [s]."""
    seed: int = 0
    """Decides the scenes and the demonstrator's variation, in simulation."""
    resume: bool = False
    """Add to a dataset that exists."""
    noise: float = 0.0
    """How hard the arm is led astray while it is driven, 0 to 1: bursts of 3 to 7 degrees, within the safety gate's
    limits, the gripper excepted. What was meant is recorded, so that recoveries are shown (DART)."""
    num_processes: int = 1
    """Processes that share the episodes of a scripted demonstrator in simulation, each with a table of its own; the
    episodes are the same for any number. Without a live view or keys; more than there are cores gain nothing."""
    task: Annotated[Any, Slot(tasks, "pick_place")]
    """What is on the table of a simulated robot; a real one takes no notice."""

    def __post_init__(self) -> None:
        if self.num_processes < 1:
            raise UserError(f"--num_processes should be at least 1, got {self.num_processes}.")
        if not 0 <= self.noise <= 1:
            raise UserError(f"--noise should be from 0 to 1, got {self.noise}.")


COMMAND = Record
KEYS = "→: keep   ←: show again   space: hold the arm   esc: keep and stop"


def run(command: Record) -> int:
    """Record the episodes; a demonstration that fails in simulation is discarded and shown again."""
    from etude.cli.watched import driving, robot_of
    from etude.rollout.driving import agent_for

    if command.num_processes > 1:
        from etude.cli.record_together import record_together

        return record_together(command)
    options = command.dataset
    title = f"Recording {options.folder}"
    with robot_of(command) as robot:
        teleoperator = teleoperators.build(command.teleop)
        agent = agent_for(teleoperator, robot)
        with driving(command, robot, teleoperator, title=title, fps=options.fps, keys=KEYS, ctrl_c_ends=False) as drive:
            _record(drive, agent, command)
    return 0


def _record(drive: Drive, agent: Agent, command: Record) -> Session:
    with recording(command, drive.env, drive.teleoperator) as entry:
        session = Session(drive, agent, entry.writer, command)
        session.record()
    entry.finish(discarded=session.discarded, late_ticks=session.late_ticks)
    drive.sounds.tell("Done")
    return session


class Session:
    """Records episode after episode. Keys end one early: right keeps it, left shows it again, escape also stops."""

    def __init__(self, drive: Drive, agent: Agent, writer: DatasetWriter, command: Record) -> None:
        from etude.rollout.disturbing import disturbed
        from etude.rollout.sinks import RecordSink

        self._drive, self._agent, self._writer = drive, agent, writer
        self._options, self._warmup_s = command.dataset, command.warmup_time_s
        sink = RecordSink(writer, command.dataset.single_task, keep=self._keeps, timing=lambda: drive.timing)
        hz = command.dataset.fps
        self._shown_by, self._sink = disturbed(agent, sink, drive.env.robot, strength=command.noise, hz=hz)
        self._seed = first_seed(command.seed, writer.num_episodes)
        self._first, self._tenths = writer.num_episodes, 0
        self.discarded = self.late_ticks = 0

    @property
    def num_episodes(self) -> int:
        """Episodes that the dataset holds."""
        return self._writer.num_episodes

    def record(self) -> None:
        """Record until as many episodes are saved as were asked for, or somebody stops it."""
        target, in_a_row, stops = self._first + self._options.num_episodes, 0, False
        if self._warmup_s and not self._drive.env.is_simulated:
            stops = self._drive_only("warming up", self._warmup_s)
        while self._writer.num_episodes < target and not stops:
            is_kept = self._record_one()
            in_a_row = 0 if is_kept or self._drive.wishes.key else in_a_row + 1
            check_patience(in_a_row)
            self._tell_progress()
            stops = self._drive.wishes.wants_stop
            if not self._drive.env.is_simulated and self._writer.num_episodes < target and not stops:
                stops = self._reset()

    def _record_one(self) -> bool:
        """Record an episode; give whether it was kept."""
        before = self._writer.num_episodes
        number = before - self._first + 1
        self._drive.sounds.tell(f"Recording episode {number}")
        phase, seconds = f"episode {number} of {self._options.num_episodes}", self._options.episode_time_s
        outcome = self._drive.rollout(self._shown_by, [self._sink], phase=phase, seconds=seconds, seed=self._seed)
        self._seed += 1
        self.late_ticks += outcome.late_ticks
        is_kept = self._writer.num_episodes > before
        self.discarded += not is_kept
        return is_kept

    def _keeps(self, success: bool) -> bool:
        # A person judges for herself, also where a simulated task could.
        is_judged = self._drive.env.is_simulated and not self._drive.by_person
        return not self._drive.wishes.wants_again and (success or not is_judged)

    def _reset(self) -> bool:
        """Let a person put things back, with the arm if she likes; give whether she wants to stop."""
        self._drive.sounds.tell("Reset the scene")
        return self._drive_only("put things back, → goes on", self._options.reset_time_s)

    def _drive_only(self, phase: str, seconds: float) -> bool:
        """Drive without recording until a key is pressed or the time is up; give whether to stop."""
        from etude.rollout.steering import Stay

        if seconds > 0:
            agent = self._agent if self._drive.by_person else Stay(self._drive.env.robot)
            self._drive.rollout(agent, phase=phase, seconds=seconds, seed=self._seed)
        return seconds > 0 and self._drive.wishes.wants_stop

    def _tell_progress(self) -> None:
        """Where there is no live view, print a line at every tenth."""
        done, total = self._writer.num_episodes - self._first, self._options.num_episodes
        if self._drive.screen.is_log and 10 * done // total > self._tenths:
            self._tenths = 10 * done // total
            say(f"Recording {done}/{total}" + (f", {self.late_ticks} late ticks" if self.late_ticks else ""))
