"""The only control loop in the house: record, replay, run and evaluate are this one with other parts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from etude.core.clock import Clock
from etude.envs.env import Env, Step
from etude.rollout.agents import Agent
from etude.rollout.sinks import Sink


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a rollout went."""

    success: bool
    ticks: int
    late_ticks: int
    """Ticks that ended after their time; always 0 on a simulated clock."""
    duration_s: float


class Pacer:
    """Ends each control tick on time, and counts those that came too late."""

    def __init__(self, clock: Clock, hz: float, *, tolerance_s: float = 0.001) -> None:
        self._clock, self._period, self._tolerance = clock, 1.0 / hz if hz else 0.0, tolerance_s
        self._deadline = clock.now()
        self.late_ticks = 0

    def wait(self) -> None:
        """Return when the present tick is over. After a late one the rhythm starts anew; nothing is caught up."""
        if not self._period:
            return
        self._deadline += self._period
        now = self._clock.now()
        if now > self._deadline + self._tolerance:
            self.late_ticks += 1
            self._deadline = now
        self._clock.sleep_until(self._deadline)


def rollout(
    env: Env,
    agent: Agent,
    sinks: Sequence[Sink] = (),
    *,
    hz: float | None = None,
    max_ticks: int = 1000,
    seed: int = 0,
    clock: Clock | None = None,
) -> Outcome:
    """Run one episode of `agent` in `env` while `sinks` watch.

    It ends when the task does, when the agent has nothing more to do, or after `max_ticks`. `hz` is the control rate
    (the environment's own if not given; 0 runs as fast as possible) and `clock` the time it is kept by (the
    environment's own if not given). Sinks are told of the end even when the episode fails.
    """
    clock = clock or env.clock
    frame = env.reset(seed)
    agent.reset(seed)
    with ExitStack() as stack:
        for sink in sinks:
            sink.begin(seed)
            stack.push(sink.abort)
        begun = clock.now()
        pacer = Pacer(clock, env.hz if hz is None else hz)
        ticks, success = 0, False
        while ticks < max_ticks and (action := agent.act(frame)) is not None:
            step = env.step(action, pacer.wait)
            _tell(sinks, frame, step)
            frame, ticks, success = step.frame, ticks + 1, step.success
            if step.terminated or step.truncated:
                break
        outcome = Outcome(success=success, ticks=ticks, late_ticks=pacer.late_ticks, duration_s=clock.now() - begun)
        stack.pop_all()
    for sink in sinks:
        sink.end(outcome.success)
    return outcome


def _tell(sinks: Sequence[Sink], frame: dict, step: Step) -> None:
    for sink in sinks:
        sink.tick(frame, step)
