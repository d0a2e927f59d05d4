"""A person coaches a skill in simulation: she watches it in real time, and the space bar takes over and gives back."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etude.cli.coach_scene import CoachedSkill, setting_of
from etude.cli.controls import Controls, controls, interruptible
from etude.cli.watched import Drive
from etude.hardware import teleoperators

if TYPE_CHECKING:
    from etude.cli.coach import Coach as Command
    from etude.core.frame import Frame
    from etude.envs.env import Step
    from etude.rollout.coaching import Coach
    from etude.rollout.coaching_rounds import Notebook

KEYS = "space: take over, and give back   →: next scene   ←: this scene again   esc: enough of this round"
BY_HAND = "by hand"


class TakeOverKeys(Controls):
    """The keys of a recording, of which the space bar changes who drives."""

    is_taken = False
    """Whether the person drives."""

    def begin(self) -> None:
        """Get ready for the next rollout, which the skill begins."""
        super().begin()
        self.is_taken = False

    def look(self) -> None:
        """Take note of what was pressed since the last look."""
        super().look()
        self.is_taken, self.is_held = self.is_taken != self.is_held, False


class ByHand:
    """A judge who leaves it to the person."""

    def __init__(self, keys: TakeOverKeys) -> None:
        self._keys = keys

    def reset(self) -> None:
        """Nothing is remembered."""

    def look(self) -> str:
        """Say that the person has taken over, if she has."""
        return BY_HAND if self._keys.is_taken else ""

    def hands_back(self, num_driven: int) -> bool:
        """Whether she has given the robot back."""
        del num_driven
        return not self._keys.is_taken


class DriverShown:
    """Says in the view who drives."""

    def __init__(self, drive: Drive, coach: Coach) -> None:
        self._caption, self._coach = drive.screen.caption, coach
        self.phase = ""

    def begin(self, seed: int) -> None:
        """Say it of an episode that begins."""
        del seed
        self._tell()

    def tick(self, frame: Frame, step: Step) -> None:
        """Say it of the next tick."""
        del frame, step
        self._tell()

    def end(self, success: bool) -> None:
        """Leave it as it is."""

    def abort(self, *exception: object) -> None:
        """Leave it as it is."""

    def _tell(self) -> None:
        self._caption.phase = f"{self.phase}: {'YOU drive' if self._coach.is_driving else 'the skill drives'}"


def act_by_hand(command: Command, made: CoachedSkill, notebook: Notebook, seeds: Sequence[int]) -> None:
    """Let the skill act in the scenes of `seeds` that are left, until the person has had enough."""
    from etude.rollout.coaching import LessonSink
    from etude.rollout.coaching_rounds import EnoughCorrectionsError
    from etude.rollout.metrics import MetricsSink

    left = notebook.left(seeds)
    with _seated(command, made) as (drive, coach):
        sink = LessonSink(coach, setting_of(drive.env), lambda: drive.timing)
        measures, shown = MetricsSink(drive.env.hz), DriverShown(drive, coach)
        for index, seed in enumerate(left):
            shown.phase = f"scene {len(seeds) - len(left) + index + 1} of {len(seeds)}"
            while True:
                outcome = drive.rollout(coach, [sink, measures, shown], seconds=made.longest_s, seed=seed)
                if not drive.wishes.wants_again:
                    break
            if drive.wishes.wants_stop:
                return
            lesson = sink.lesson()
            # Nobody breaks a slow skill off here; alone it has no more time than in an evaluation.
            in_time = bool(lesson.take_overs) or outcome.ticks <= round(command.env.max_seconds * drive.env.hz)
            result = measures.result(replace(outcome, success=outcome.success and in_time))
            try:
                notebook.gather(index, result, lesson)
            except EnoughCorrectionsError:
                return


@contextmanager
def _seated(command: Command, made: CoachedSkill) -> Generator[tuple[Drive, Coach]]:
    """Connect everything, and listen to keys and show the view, for the length of a block."""
    from etude.cli.options import agent_of
    from etude.cli.screen import Caption, screen
    from etude.cli.sounds import Sounds
    from etude.hardware.device import connected
    from etude.rollout.coaching import Coach
    from etude.rollout.driving import agent_for

    with ExitStack() as stack:
        stack.enter_context(interruptible())
        env, loaded = made.set_up()
        stack.callback(env.close)
        teleoperator: Any = teleoperators.build(command.teleop)
        stack.enter_context(connected(teleoperator))
        keys = stack.enter_context(controls(ctrl_c_ends=False, kind=TakeOverKeys))
        title = f"Coaching {Path(made.policy.path)}"
        shown = stack.enter_context(screen(Caption(title=title, hz=env.hz, keys=KEYS)))
        drive = Drive(env, keys, shown, Sounds(is_on=False), (), teleoperator)
        skill = agent_of(loaded, made.policy, hz=env.hz, clock=drive.clock)
        yield drive, Coach(skill, agent_for(teleoperator, env.robot), ByHand(keys))
