"""The only control loop in the house: teleoperate, record, replay, run and evaluate are this one with other parts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from etude.envs.env import Env
from etude.rollout.agents import Agent
from etude.rollout.sinks import Sink
from etude.rollout.ticks import Pacer


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a rollout went."""

    success: bool
    ticks: int
    late_ticks: int
    """Ticks after which the next one began too late; always 0 on a simulated clock."""
    duration_s: float


def rollout(
    env: Env,
    agent: Agent,
    sinks: Sequence[Sink] = (),
    *,
    max_ticks: int = 1000,
    seed: int = 0,
    pacer: Pacer | None = None,
) -> Outcome:
    """Run one episode of `agent` in `env` while `sinks` watch.

    It ends when the task does, when the agent has nothing more to do, or after `max_ticks`. `pacer` ends the ticks: at
    the environment's rate, by the environment's clock, if none is given. Sinks are told of the end even when the
    episode fails.
    """
    pacer = pacer or Pacer(env.clock, env.hz)
    with pacer.undisturbed(), ExitStack() as stack:
        frame = env.reset(seed)
        agent.reset(seed)
        for sink in sinks:
            sink.begin(seed)
            stack.push(sink.abort)
        outcome = _run(env, agent, sinks, frame, max_ticks, pacer)
        stack.pop_all()
    for sink in sinks:
        sink.end(outcome.success)
    return outcome


def _run(env: Env, agent: Agent, sinks: Sequence[Sink], frame: dict, max_ticks: int, pacer: Pacer) -> Outcome:
    began_s, late = pacer.start(), pacer.ticks.late
    num_ticks, success = 0, False
    while num_ticks < max_ticks and (action := agent.act(frame)) is not None:
        step = env.step(action, pacer.wait)
        for sink in sinks:
            sink.tick(frame, step)
        frame, num_ticks, success = step.frame, num_ticks + 1, step.success
        if step.terminated or step.truncated:
            break
    late, duration_s = pacer.ticks.late - late, pacer.clock.now() - began_s
    return Outcome(success=success, ticks=num_ticks, late_ticks=late, duration_s=duration_s)
