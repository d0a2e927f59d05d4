"""A demonstration that is disturbed on purpose, so that it shows how to get back on the way.

DART (Laskey et al., 2017): noise is added to the commands that are executed, and those that were meant are recorded.
Who drives sees where the arm went and corrects it; a policy that learned from that knows what to do when it is off.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etude.core.errors import UserError
from etude.core.frame import Frame
from etude.envs.env import Step
from etude.hardware.device import Robot
from etude.rollout.agents import Agent
from etude.rollout.sinks import Sink
from etude.sim.teleoperators.scripted.pushes import REVERSION_PER_S, Pushes

_GRIPPER = "gripper"
"""Part of the name of what is never disturbed: fingers would drop what they hold."""


def disturbed(agent: Agent, sink: Sink, robot: Robot, *, strength: float, hz: float) -> tuple[Agent, Sink]:
    """Disturb what `agent` does, at most at `strength` 1, and let `sink` see what it meant; at 0 both stay as they are.

    Raises `UserError` for a robot whose units are not known.
    """
    if not strength:
        return agent, sink
    if getattr(robot, "uses_degrees", None) is None:
        raise UserError(
            f"Noise is measured in degrees or hundredths of a joint's range; '{robot.name}' does not tell which of "
            "them it takes. Leave --noise out."
        )
    noisy = Disturbed(agent, robot.action.names, strength=strength, hz=hz)
    return noisy, AsMeant(sink, noisy)


class Disturbed:
    """An agent whose commands are now and then led astray: bursts of 3 to 7 degrees, at strength 1, with pauses.

    Where joints are told in -100 to 100 of their range, of so many hundredths.
    """

    def __init__(self, agent: Agent, names: tuple[str, ...], *, strength: float, hz: float) -> None:
        """Take the names of the joints, in the action's order, and how often it is asked for one [1/s]."""
        self._agent, self._strength, self._period_s = agent, strength, 1 / hz
        self._moved = np.array([_GRIPPER not in name for name in names])
        self._keep = np.exp(-REVERSION_PER_S * self._period_s)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Reset the agent; `seed` decides the noise as well."""
        self._agent.reset(seed)
        rng = np.random.default_rng([seed, 7])
        self._pushes = Pushes(rng, self._strength, num_joints=int(self._moved.sum()))
        self._aside, self._num_ticks = np.zeros(int(self._moved.sum())), 0
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the agent's action with noise."""
        meant = self._agent.act(frame)
        if meant is None:
            return None
        asked = meant.copy()
        asked[self._moved] += self._noise().astype(meant.dtype)
        self._last = meant, asked
        return asked

    def meant(self, applied: np.ndarray) -> np.ndarray:
        """Give what was meant when `applied` was done: limits that held the command back hold for it as well.

        An action that was not asked of this agent, such as of an arm that a person has held, is given back.
        """
        if self._last is None:
            return applied
        (meant, asked), self._last = self._last, None
        at_most = np.where(applied < asked, applied, np.inf)
        at_least = np.where(applied > asked, applied, -np.inf)
        return np.clip(meant, at_least, at_most).astype(applied.dtype)

    def _noise(self) -> np.ndarray:
        """Go on with the noise, smoothed once more than it comes: a motor would follow each kick [degrees]."""
        self._num_ticks += 1
        kicked = np.degrees(self._pushes.at(self._num_ticks * self._period_s, self._period_s))
        self._aside = self._keep * self._aside + (1 - self._keep) * np.sqrt(2) * kicked
        return self._aside


class AsMeant:
    """Lets a sink see what a disturbed agent meant in place of what was done."""

    def __init__(self, sink: Sink, agent: Disturbed) -> None:
        self._sink, self._agent = sink, agent

    def begin(self, seed: int) -> None:
        """Pass it on."""
        self._sink.begin(seed)

    def tick(self, frame: Frame, step: Step) -> None:
        """Tell of the action that was meant."""
        self._sink.tick(frame, replace(step, action=self._agent.meant(step.action)))

    def end(self, success: bool) -> None:
        """Pass it on."""
        self._sink.end(success)

    def abort(self, *exception: object) -> None:
        """Pass it on."""
        self._sink.abort(*exception)
