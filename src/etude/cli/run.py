"""`etude run`: a trained policy moves a robot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from etude.cli.console import say
from etude.cli.options import TrainedPolicy, agent_of, open_policy
from etude.cli.slots import Slot
from etude.cli.watched import Watched
from etude.core.errors import UserError
from etude.hardware import robots
from etude.sim.tasks import tasks


@dataclass(frozen=True, kw_only=True)
class Run(Watched):
    """Run a trained policy on a robot until it is done, the time is up, or somebody stops it.

    The space bar holds the arm where it is and lets it go on; Escape or Ctrl-C stops. The arm is released at the end.
    """

    policy: TrainedPolicy
    """The policy."""
    robot: Annotated[Any, Slot(robots, "so101_follower")]
    """The robot that moves."""
    fps: int = 30
    """Control ticks per second [1/s]; the rate the policy was trained at."""
    duration_s: float = 20.0
    """Longest time to run [s]."""
    device: str = "cpu"
    """Where the policy runs: cpu, cuda, mps."""
    rename_map: str = ""
    """Which of the robot's keys is which of the policy's: '{"observation.images.top": "observation.images.front"}'."""
    seed: int = 0
    """Decides the scene, in simulation."""
    task: Annotated[Any, Slot(tasks, "pick_place")]
    """What is on the table of a simulated robot; a real one takes no notice."""

    def __post_init__(self) -> None:
        if self.fps < 1 or self.duration_s <= 0:
            raise UserError("--fps should be at least 1 and --duration_s above 0.")


COMMAND = Run
KEYS = "space: hold the arm   esc: stop"


def run(command: Run) -> int:
    """Run the policy once."""
    from etude.cli.watched import driving, robot_of
    from etude.rollout.latency import sentence
    from etude.rollout.provenance import check_units

    policy = open_policy(command.policy.path, command.device, command.rename_map)
    title = f"Running {command.policy.path}"
    with (
        robot_of(command) as robot,
        driving(command, robot, title=title, fps=command.fps, keys=KEYS) as drive,
    ):
        policy.check_fits(drive.env.observation, robot.action)
        check_units(robot, policy.origin.uses_degrees, f"The policy {command.policy.path}")
        agent = agent_of(policy, command.policy, hz=command.fps, clock=drive.clock)
        outcome = drive.rollout(agent, seconds=command.duration_s, seed=command.seed)
    rate = outcome.ticks / max(outcome.duration_s, 1e-9)
    say(f"Ran {outcome.ticks} ticks in {outcome.duration_s:.1f} s ({rate:.1f} per second, {outcome.late_ticks} late).")
    say(sentence(agent.latencies_s) + (f" Held still for {agent.num_held} ticks." if agent.num_held else ""))
    return 0
