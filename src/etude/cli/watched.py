"""What commands that move a robot have in common: a steady pace, a live view, keys, a viewer and sounds."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from etude.cli.console import say
from etude.cli.controls import Controls, controls, interruptible
from etude.cli.leaving import Leaving
from etude.cli.screen import Caption, Screen, screen
from etude.cli.sounds import Sounds, has_player
from etude.hardware import robots

if TYPE_CHECKING:
    from etude.core.clock import Clock
    from etude.data.timing import Timing
    from etude.envs.robot_env import RobotEnv
    from etude.hardware.device import Robot, Teleoperator
    from etude.rollout.agents import Agent
    from etude.rollout.loop import Outcome
    from etude.rollout.sinks import Sink

NO_LIMIT = 10**9
"""Ticks of a rollout that goes on until somebody ends it."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Options of every command that moves a robot."""

    display: Literal["none", "rerun"] = "none"
    """A viewer for states, actions and pictures, beside the live view in the terminal."""
    play_sounds: bool = field(default_factory=has_player)
    """Say aloud what is going on; on where this computer can speak."""


class Drive:
    """A connected robot under a person's eyes and hands; every rollout of a command goes through it."""

    def __init__(
        self,
        env: RobotEnv,
        wishes: Controls,
        shown: Screen,
        sounds: Sounds,
        viewers: Sequence[Sink],
        teleoperator: Teleoperator | None = None,
    ) -> None:
        from etude.core.clock import RealClock
        from etude.rollout.live import LiveSink
        from etude.rollout.ticks import Ticks

        self.env, self.wishes, self.screen, self.sounds = env, wishes, shown, sounds
        self.teleoperator = teleoperator
        self.by_person = teleoperator is not None and is_person(teleoperator)
        """Whether a person drives the robot."""
        self.clock: Clock = RealClock() if self.by_person else env.clock
        self._ticks, self._viewers = Ticks(), viewers
        self._live = LiveSink(env.robot, self._ticks, shown.show)

    @property
    def timing(self) -> Timing | None:
        """When the newest observation was made, and what went wrong on the robot's side or the person's."""
        timing = self.env.timing
        if timing is None or not (trouble := self._leader_trouble()):
            return timing
        return replace(timing, trouble=(*timing.trouble, trouble))

    def _leader_trouble(self) -> str:
        events: tuple[str, ...] = getattr(self.teleoperator, "events", ())
        return f"The leader: {' '.join(events)}" if events else ""

    def rollout(
        self, agent: Agent, sinks: Sequence[Sink] = (), *, phase: str = "", seconds: float | None = None, seed: int = 0
    ) -> Outcome:
        """Run one rollout, at most as long as `seconds`; the view calls it `phase`."""
        from etude.rollout.loop import rollout
        from etude.rollout.steering import Steered
        from etude.rollout.ticks import Pacer

        caption = self.screen.caption
        caption.phase, caption.seconds_left = phase, seconds
        self.wishes.begin()
        steered = Steered(agent, self.env.robot, self.wishes)

        def look() -> None:
            caption.gap, caption.is_held = steered.gap, self.wishes.is_held
            caption.problem = getattr(self.teleoperator, "problem", "") or self._leader_trouble()
            self._live.spare()

        longest = NO_LIMIT if seconds is None else round(seconds * self.env.hz)
        pacer = Pacer(self.clock, self.env.hz, self._ticks, on_slack=look)
        return rollout(
            self.env, steered, [*sinks, self._live, *self._viewers], max_ticks=longest, seed=seed, pacer=pacer
        )


@contextmanager
def driving(
    command: Watched,
    robot: Robot,
    teleoperator: Teleoperator | None = None,
    *,
    title: str,
    fps: float,
    keys: str,
    ctrl_c_ends: bool = True,
) -> Generator[Drive]:
    """Connect everything for the length of a block, and listen to keys and show the view meanwhile.

    With `ctrl_c_ends` Ctrl-C ends a rollout as Escape does; else it breaks the command off.
    """
    from etude.envs.robot_env import RobotEnv
    from etude.hardware.device import connected

    with ExitStack() as stack:
        stack.enter_context(interruptible())
        viewers = [_rerun(stack)] if command.display == "rerun" else []
        leaving = Leaving("The arm comes to rest. Escape lets it go at once.")
        stack.callback(leaving.end)
        stack.enter_context(connected(robot, *filter(None, [teleoperator])))
        if hasattr(robot, "stop") and not robot.scene:
            stack.callback(leaving.begin)
        if invitation := getattr(teleoperator, "invitation", ""):
            say(invitation)  # how to drive, before the live view begins
        env = RobotEnv(robot, hz=fps)
        wishes = stack.enter_context(controls(ctrl_c_ends=ctrl_c_ends))
        caption = Caption(title=title, hz=fps, keys=keys if wishes.has_keys else "")
        shown = stack.enter_context(screen(caption))
        yield Drive(env, wishes, shown, Sounds(is_on=command.play_sounds), viewers, teleoperator)


@contextmanager
def robot_of(command: Any) -> Generator[Robot]:
    """Make the robot of `command`, whose cameras belong to a process of their own for the length of a block.

    Where it is simulated, its table is set for the task of `command`.
    """
    from etude.hardware.cameras.owner import owned
    from etude.sim.stage import staged

    with staged(command.task), owned(command.robot) as shared:
        yield robots.build(shared)


def is_person(teleoperator: Teleoperator) -> bool:
    """Whether a person drives, not a script: for her, simulated time may pass no faster than her own."""
    names = teleoperator.action.names
    gives_steps = bool(names) and all(name.endswith(".step") for name in names)
    return gives_steps or getattr(teleoperator, "scene", teleoperator) is None


def _rerun(stack: ExitStack) -> Sink:
    from etude.rollout.rerun_sink import RerunSink

    return stack.enter_context(RerunSink.opened())
