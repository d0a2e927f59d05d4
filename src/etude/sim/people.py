"""The people who move simulated arms: who knows the task, who plays a recording, who waves, who helps to calibrate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from etude.hardware.bodies.body import Body
from etude.hardware.bodies.so101 import SO101
from etude.sim.leader import SimLeader
from etude.sim.person import Person
from etude.sim.teleoperators.scripted.config import Config
from etude.sim.teleoperators.scripted.teleoperator import ScriptedDemonstrator

_WAVE_RAD, _WAVE_S = 0.25, 4.0
_HOLD_S, _SWEEP_S = 1.5, 3.0


def person_at(leader: SimLeader, name: str = "") -> Person:
    """Choose who moves `leader`: the demonstrator where he knows the arm and it leads the first one, else a waver."""
    return Demonstrator() if leader.make.knows_tasks and not name else Wave()


class Demonstrator:
    """Does the task, as the scripted demonstrator does, but with the leader in the hand."""

    def __init__(self, config: Config | None = None) -> None:
        self._script = ScriptedDemonstrator(config or Config())
        self._script.connect()
        low, high = np.array([link.range_rad for link in SO101.links])[-1]
        self._gripper = low, high - low

    def begin(self, seed: int) -> None:
        """Begin a new demonstration."""
        self._script.reset(seed)

    def wish(self, now_s: float, joints: np.ndarray) -> np.ndarray:
        """Give where the leader should be; where it is once the task is done or patience is at its end."""
        del now_s
        command = self._script.read()
        if command is None:
            return joints
        low, span = self._gripper
        return np.append(np.radians(command[:-1]), low + span * command[-1] / 100)


class Recorded:
    """Plays joint positions [rad] that were recorded at `hz`, one row for each tick, again in every episode."""

    def __init__(self, joints: np.ndarray | Sequence[Sequence[float]], hz: float) -> None:
        self._joints, self._hz = np.asarray(joints, np.float64), hz
        self._begun_s: float | None = None

    def begin(self, seed: int) -> None:
        """Begin at the first row."""
        del seed
        self._begun_s = None

    def wish(self, now_s: float, joints: np.ndarray) -> np.ndarray:
        """Give the recorded position, between two rows the one in between; the last one when all have been played."""
        del joints
        if self._begun_s is None:
            self._begun_s = now_s
        at = np.clip((now_s - self._begun_s) * self._hz, 0, len(self._joints) - 1)
        row, rest = int(at), at - int(at)
        following = self._joints[min(row + 1, len(self._joints) - 1)]
        return (1 - rest) * self._joints[row] + rest * following


class Wave:
    """Moves every joint gently to and fro about where the episode began."""

    def __init__(self) -> None:
        self.begin(0)

    def begin(self, seed: int) -> None:
        """Choose the rhythm of each joint."""
        self._rng = np.random.default_rng(seed)
        self._middle: np.ndarray | None = None

    def wish(self, now_s: float, joints: np.ndarray) -> np.ndarray:
        """Give the joints' positions at this moment of the wave."""
        if self._middle is None:
            self._middle, self._begun_s = joints, now_s
            self._period_s = _WAVE_S * self._rng.uniform(0.8, 1.5, len(joints))
        return self._middle + _WAVE_RAD * np.sin(2 * np.pi * (now_s - self._begun_s) / self._period_s)


class Sweep:
    """Holds every joint in the middle of its range, then moves all through `share` of it, again and again.

    Neighbours move against one another, so that the hand stays above the table.
    """

    def __init__(self, body: Body, share: float = 1.0) -> None:
        low, high = np.array([link.range_rad for link in body.links]).T
        ways = np.array([(-1.0, 1.0)[number % 2] for number in range(len(low))])
        self._middle, self._reach = (low + high) / 2, share * ways * (high - low) / 2
        self._begun_s: float | None = None

    def begin(self, seed: int) -> None:
        """Begin with the middle."""
        del seed
        self._begun_s = None

    def wish(self, now_s: float, joints: np.ndarray) -> np.ndarray:
        """Give where the joints should be at this moment."""
        del joints
        if self._begun_s is None:
            self._begun_s = now_s
        moved_s = max((now_s - self._begun_s) % (_HOLD_S + _SWEEP_S) - _HOLD_S, 0.0)
        return self._middle + self._reach * np.sin(2 * np.pi * moved_s / _SWEEP_S)
