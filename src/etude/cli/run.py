"""`etude run`: a trained policy moves a robot."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from etude.cli.console import say
from etude.cli.options import TrainedPolicy, open_policy
from etude.cli.slots import Slot
from etude.core.errors import UserError
from etude.hardware import robots


@dataclass(frozen=True, kw_only=True)
class Run:
    """Run a trained policy on a robot until it is done, the time is up, or Ctrl-C. The arm is released at the end."""

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
    seed: int = 0
    """Decides the scene, in simulation."""

    def __post_init__(self) -> None:
        if self.fps < 1 or self.duration_s <= 0:
            raise UserError("--fps should be at least 1 and --duration_s above 0.")


COMMAND = Run


def run(command: Run) -> int:
    """Run the policy once."""
    from etude.envs.robot_env import RobotEnv
    from etude.hardware.device import connected
    from etude.rollout.agents import PolicyAgent, UntilStopped
    from etude.rollout.loop import rollout

    policy = open_policy(command.policy.path, command.device)
    robot = robots.build(command.robot)
    with connected(robot), stop_on_interrupt() as stopped:
        policy.check_fits(robot.observation, robot.action)
        say(f"Running for {command.duration_s:.0f} s. Ctrl-C stops.")
        agent = PolicyAgent(policy, replan=command.policy.replan or policy.n_action_steps)
        outcome = rollout(
            RobotEnv(robot, hz=command.fps),
            UntilStopped(agent, lambda: bool(stopped)),
            max_ticks=round(command.duration_s * command.fps),
            seed=command.seed,
        )
    rate = outcome.ticks / max(outcome.duration_s, 1e-9)
    say(f"Ran {outcome.ticks} ticks in {outcome.duration_s:.1f} s ({rate:.1f} per second, {outcome.late_ticks} late).")
    return 0


@contextmanager
def stop_on_interrupt() -> Generator[list[int]]:
    """Collect Ctrl-C and SIGTERM for the length of a block, so that the tick in progress ends in good order.

    A second signal interrupts at once.
    """
    received: list[int] = []

    def remember(number: int, _: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, action in before.items():
            signal.signal(number, action)
