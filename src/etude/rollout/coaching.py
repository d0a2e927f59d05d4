"""A skill with a demonstrator beside it, who takes over when it fails and leads it out of there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from etude.core.frame import ACTION, Frame
from etude.core.spec import Spec, Specs
from etude.data.timing import Timing
from etude.envs.env import Step
from etude.rollout.agents import Agent

INTERVENTION = "intervention"
"""Column that is true where the demonstrator drove; LeRobot's name."""


class Judge(Protocol):
    """Decides when a skill needs help, and when it has had enough."""

    def reset(self) -> None:
        """Forget what was seen: a skill begins, or has been handed the robot back."""
        ...

    def look(self) -> str:
        """Say why the skill needs help, or nothing while it goes well; asked before each of its actions."""
        ...

    def hands_back(self, num_driven: int) -> bool:
        """Whether the skill may go on, after `num_driven` ticks of help; asked before each of the demonstrator's."""
        ...


@dataclass(frozen=True, kw_only=True)
class TakeOver:
    """One time at which the demonstrator took over."""

    tick: int
    why: str


class Coach:
    """An agent made of two: the skill acts until `judge` has a reason, then the demonstrator.

    He drives until he has nothing more to do, which ends the episode, or until the judge hands the robot back. The
    skill then plans anew: its chunk was meant for another state.
    """

    def __init__(self, skill: Agent, demonstrator: Agent, judge: Judge) -> None:
        self._skill, self._demonstrator, self._judge = skill, demonstrator, judge
        self._begin(0)

    def reset(self, seed: int) -> None:
        """Let the skill begin."""
        self._begin(seed)
        self._demonstrator.reset(seed)  # he watches, too
        self._hand_back()

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the action of whoever drives, or none when the demonstrator has nothing more to do."""
        if self.is_driving and self._judge.hands_back(self._driven):
            self._hand_back()
        if not self.is_driving and (why := self._judge.look()):
            self.take_overs.append(TakeOver(tick=self._tick, why=why))
            self.is_driving, self._driven = True, 0
            self._demonstrator.reset(self._seed)
        self._tick += 1
        self._driven += self.is_driving
        return (self._demonstrator if self.is_driving else self._skill).act(frame)

    def _begin(self, seed: int) -> None:
        self._seed, self._tick, self._driven = seed, 0, 0
        self.is_driving = False
        """Whether the last action was the demonstrator's."""
        self.take_overs: list[TakeOver] = []
        """When and why the demonstrator took over in this episode."""

    def _hand_back(self) -> None:
        self.is_driving = False
        self._skill.reset(self._seed)
        self._judge.reset()


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where corrections are made: what their dataset has to know."""

    specs: Specs
    fps: int
    task: str
    robot_type: str | None = None
    uses_degrees: bool | None = None

    @property
    def columns(self) -> Specs:
        """What their dataset holds."""
        return {**self.specs, INTERVENTION: Spec(shape=(1,), dtype="bool")}


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What one coached rollout leaves."""

    setting: Setting
    take_overs: tuple[TakeOver, ...]
    frames: tuple[Frame, ...] = ()
    """The whole episode, if it was corrected and succeeded; otherwise nothing of it is kept."""
    timings: tuple[Timing | None, ...] = ()

    @property
    def num_driven(self) -> int:
        """Frames in which the demonstrator drove."""
        return sum(bool(frame[INTERVENTION][0]) for frame in self.frames)


class LessonSink:
    """Keeps the last episode in memory, with who drove in each frame; `lesson` gives it."""

    def __init__(self, coach: Coach, setting: Setting, timing: Callable[[], Timing | None] = lambda: None) -> None:
        self._coach, self._setting, self._timing = coach, setting, timing
        self.begin(0)

    def begin(self, seed: int) -> None:
        """Forget the last episode."""
        del seed
        self._frames: list[Frame] = []
        self._timings: list[Timing | None] = []
        self._observed = self._timing()
        self._succeeded = False

    def tick(self, frame: Frame, step: Step) -> None:
        """Keep one frame: the observation, the applied action, and who drove."""
        kept = {key: np.array(frame[key]) for key in self._setting.specs if key != ACTION}
        driver = np.array([self._coach.is_driving])
        self._frames.append(kept | {ACTION: step.action, INTERVENTION: driver})
        self._timings.append(self._observed)
        self._observed = self._timing()

    def end(self, success: bool) -> None:
        """Learn how it went."""
        self._succeeded = success

    def abort(self, *exception: object) -> None:
        """Forget what broke off."""
        del exception
        self.begin(0)

    def lesson(self) -> Lesson:
        """Give what the last episode leaves."""
        take_overs = tuple(self._coach.take_overs)
        if not (take_overs and self._succeeded):
            return Lesson(setting=self._setting, take_overs=take_overs)
        return Lesson(
            setting=self._setting, take_overs=take_overs, frames=tuple(self._frames), timings=tuple(self._timings)
        )
