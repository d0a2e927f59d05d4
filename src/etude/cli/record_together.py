"""A scripted demonstrator in several processes, each with a simulated table of its own: one dataset comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etude.cli.console import progress
from etude.cli.record_dataset import check_patience, coding, first_seed, recording
from etude.core.errors import UserError

if TYPE_CHECKING:
    from etude.cli.record import Record
    from etude.data.dataset import DatasetWriter
    from etude.data.formats.lerobot_v3.config import Config
    from etude.data.recording import Finished
    from etude.envs.robot_env import RobotEnv
    from etude.hardware.device import Teleoperator
    from etude.rollout.evaluate import Cast
    from etude.rollout.metrics import Result

_ONLY_ONE = (
    "There is only one real robot, and only one person: they cannot record in several processes. Leave "
    "--num_processes out, or record in simulation: --robot.port=sim --teleop.type=scripted."
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A simulated robot with something to do, and who shows it how."""

    task: Any
    robot: Any
    teleop: Any
    fps: int

    def set(self) -> tuple[RobotEnv, Teleoperator]:
        """Connect everything, in this process; raise `UserError` when there can be only one of it."""
        from etude.cli.watched import is_person
        from etude.envs.robot_env import RobotEnv
        from etude.hardware import robots, teleoperators
        from etude.sim.stage import staged

        with staged(self.task):
            robot, teleoperator = robots.build(self.robot), teleoperators.build(self.teleop)
            if robot.scene is None or is_person(teleoperator):
                raise UserError(_ONLY_ONE)
            robot.connect()
            teleoperator.connect()
        return RobotEnv(robot, hz=self.fps), teleoperator


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """Sets the stage and records what is shown beside the dataset in `root`, in the process that calls it."""

    stage: Stage
    root: Path
    config: Config
    noise: float = 0.0

    def __call__(self) -> Cast:
        """Give who acts where; a rollout leaves its episode if it succeeded."""
        from etude.data.formats.lerobot_v3.drafting import drafting
        from etude.rollout.disturbing import disturbed
        from etude.rollout.driving import agent_for
        from etude.rollout.evaluate import Cast
        from etude.rollout.sinks import RecordSink

        env, teleoperator = self.stage.set()
        drafts = drafting(self.config, self.root)
        sink = RecordSink(drafts, task="", keep=bool, timing=lambda: env.timing)
        shown_by = agent_for(teleoperator, env.robot)
        agent, watcher = disturbed(shown_by, sink, env.robot, strength=self.noise, hz=self.stage.fps)
        return Cast(env=env, agent=agent, sinks=[watcher], leaves=drafts.collect)


class Collection:
    """Saves the episodes that come of it."""

    def __init__(self, writer: DatasetWriter, task: str, tell: Callable[[int], object]) -> None:
        self._writer, self._task, self._tell = writer, task, tell
        self._num_saved = self._failed_in_a_row = self.discarded = 0

    def add(self, result: Result, finished: Finished | None) -> None:
        """Save an episode, if the demonstration succeeded."""
        del result
        if finished is None:
            self.discarded += 1
            self._failed_in_a_row += 1
            check_patience(self._failed_in_a_row)
            return
        self._failed_in_a_row = 0
        self._writer.save_finished(finished, self._task)
        self._num_saved += 1
        self._tell(self._num_saved)


def record_together(command: Record) -> int:
    """Record the episodes in several processes; each is saved as soon as those of all scenes before it are."""
    from etude.rollout.successes import succeed_together

    options, num = command.dataset, command.dataset.num_episodes
    stage = Stage(task=command.task, robot=command.robot, teleop=command.teleop, fps=options.fps)
    env, teleoperator = stage.set()
    try:
        with recording(command, env, teleoperator) as entry, progress("Recording", num) as line:
            collection = Collection(entry.writer, options.single_task, line.update)
            succeed_together(
                Demonstration(
                    stage=stage,
                    root=options.folder,
                    config=coding(command, is_simulated=True),
                    noise=command.noise,
                ),
                first_seed=first_seed(command.seed, entry.writer.num_episodes),
                wanted=num,
                num_processes=command.num_processes,
                max_ticks=round(options.episode_time_s * options.fps),
                gather=collection.add,
            )
    finally:
        teleoperator.disconnect()
        env.close()
    entry.finish(discarded=collection.discarded)
    return 0
