"""`etude teleoperate`: a person drives a robot; nothing is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from etude.cli.console import say
from etude.cli.slots import Slot
from etude.cli.watched import Watched
from etude.core.errors import UserError
from etude.hardware import robots, teleoperators
from etude.sim.tasks import tasks

if TYPE_CHECKING:
    from etude.cli.watched import Drive
    from etude.rollout.agents import Agent


@dataclass(frozen=True, kw_only=True)
class Teleoperate(Watched):
    """Drive a robot with a leader arm, a keyboard, a gamepad, a phone or a script. Nothing is recorded.

    The space bar holds the arm where it is and lets it go on; Escape or Ctrl-C stops.
    """

    robot: Annotated[Any, Slot(robots, "so101_follower")]
    """The robot that is driven."""
    teleop: Annotated[Any, Slot(teleoperators, "scripted")]
    """What it is driven with."""
    fps: int = 60
    """Control ticks per second [1/s]."""
    teleop_time_s: float | None = None
    """How long to drive [s]; until stopped when left out."""
    seed: int = 0
    """Decides the scene, in simulation."""
    task: Annotated[Any, Slot(tasks, "pick_place")]
    """What is on the table of a simulated robot; a real one takes no notice."""

    def __post_init__(self) -> None:
        if self.fps < 1 or (self.teleop_time_s is not None and self.teleop_time_s <= 0):
            raise UserError("--fps should be at least 1 and --teleop_time_s above 0.")


COMMAND = Teleoperate
KEYS = "space: hold the arm   esc: stop"


def run(command: Teleoperate) -> int:
    """Drive until it is over, then tell how well the pace was kept."""
    from etude.cli.watched import driving, robot_of
    from etude.rollout.driving import agent_for

    with robot_of(command) as robot:
        teleoperator = teleoperators.build(command.teleop)
        agent, title = agent_for(teleoperator, robot), f"Driving {robot.name}"
        with driving(command, robot, teleoperator, title=title, fps=command.fps, keys=KEYS) as drive:
            drive.sounds.tell("Go")
            _drive(drive, agent, command)
    return 0


def _drive(drive: Drive, agent: Agent, command: Teleoperate) -> None:
    num_ticks, late, duration_s = 0, 0, 0.0
    seconds, seed, is_over = command.teleop_time_s, command.seed, False
    while not is_over:
        outcome = drive.rollout(agent, seconds=seconds, seed=seed)
        num_ticks, late, seed = num_ticks + outcome.ticks, late + outcome.late_ticks, seed + 1
        duration_s += outcome.duration_s
        seconds = None if seconds is None else seconds - outcome.ticks / command.fps
        is_time_up = seconds is not None and seconds <= 0
        is_over = not outcome.success or drive.wishes.is_ended or is_time_up  # a task that is done begins anew
    rate = num_ticks / max(duration_s, 1e-9)
    say(f"Drove {num_ticks} ticks in {duration_s:.1f} s ({rate:.1f} per second, {late} late).")
