"""What one rollout was worth: whether and when it succeeded, how smooth it was, what the gate held back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from etude.core.frame import STATE, Frame
from etude.envs.env import Step
from etude.rollout.loop import Outcome

_SPECTRUM_HZ, _LEAST_SHARE, _PADDING = 10.0, 0.05, 4
"""The published choices: the highest frequency looked at, the least amplitude, and powers of two of zeros added."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one rollout was worth. A measure is none where it has no meaning, such as the time to no success."""

    seed: int
    success: bool
    ticks: int
    time_to_success_s: float | None
    max_reward: float
    """The largest of a tick: for PushT the share of the outline that was covered, over 0.95."""
    sum_reward: float
    action_jerk: float | None
    """Root mean square over time and joints of the third derivative of the applied actions [units/s^3]."""
    state_jerk: float | None
    """The same of the joints' measured positions [units/s^3]."""
    spectral_arc: float | None
    """Spectral arc length of the joints' speed, below 0; nearer to 0 is smoother (Balasubramanian et al., 2015)."""
    clipped_ticks: int
    """Ticks in which the robot did another thing than was asked for."""
    late_ticks: int = 0
    held_ticks: int = 0
    """Ticks in which the last action went on, because the next chunk came late."""
    latencies_s: tuple[float, ...] = field(default=(), compare=False)
    """How long the policy took for each chunk; another time it takes otherwise."""

    def to_json(self) -> dict[str, Any]:
        """Give the values for a file, without the latencies."""
        return {name: value for name, value in asdict(self).items() if name != "latencies_s"}


class MetricsSink:
    """Measures one rollout after the other; `result` gives the last one."""

    def __init__(self, hz: float) -> None:
        self._hz = hz
        self.begin(0)

    def begin(self, seed: int) -> None:
        """Forget the last rollout."""
        self._seed = seed
        self._actions: list[np.ndarray] = []
        self._states: list[np.ndarray] = []
        self._rewards: list[float] = []
        self._clipped = 0

    def tick(self, frame: Frame, step: Step) -> None:
        """Note one tick."""
        if not self._states and STATE in frame:
            self._states.append(frame[STATE])
        if STATE in step.frame:
            self._states.append(step.frame[STATE])
        self._actions.append(step.action)
        self._rewards.append(step.reward)
        self._clipped += bool(step.clipped)

    def end(self, success: bool) -> None:
        """Keep what was seen."""
        del success

    def abort(self, *exception: object) -> None:
        """Keep what was seen."""
        del exception

    def result(self, outcome: Outcome, latencies_s: tuple[float, ...] = (), held_ticks: int = 0) -> Result:
        """Sum the last rollout up."""
        return Result(
            seed=self._seed,
            success=outcome.success,
            ticks=outcome.ticks,
            time_to_success_s=outcome.ticks / self._hz if outcome.success else None,
            max_reward=float(max(self._rewards, default=0.0)),
            sum_reward=float(sum(self._rewards)),
            action_jerk=jerk(self._actions, self._hz),
            state_jerk=jerk(self._states, self._hz),
            spectral_arc=spectral_arc(self._states, self._hz),
            clipped_ticks=self._clipped,
            late_ticks=outcome.late_ticks,
            held_ticks=held_ticks,
            latencies_s=latencies_s,
        )


def jerk(positions: list[np.ndarray], hz: float) -> float | None:
    """Give the root mean square jerk of a way (time, joint) [units/s^3]; none when it is shorter than four points."""
    if len(positions) < 4:
        return None
    third = np.diff(np.asarray(positions, np.float64), n=3, axis=0) * hz**3
    return float(np.sqrt(np.mean(third**2)))


def spectral_arc(positions: list[np.ndarray], hz: float) -> float | None:
    """Give the spectral arc length of a way's speed (SPARC; Balasubramanian et al., 2015); none when nothing moves.

    It is the length of the speed's normalised amplitude spectrum up to 10 Hz, or half of `hz`, negated.
    """
    if len(positions) < 4:
        return None
    speed = np.linalg.norm(np.diff(np.asarray(positions, np.float64), axis=0), axis=1) * hz
    if not speed.any():
        return None
    size = 2 ** (int(np.ceil(np.log2(len(speed)))) + _PADDING)
    spectrum, frequency = np.abs(np.fft.rfft(speed, size)), np.fft.rfftfreq(size, 1 / hz)
    amplitude = (spectrum / spectrum.max())[frequency <= _SPECTRUM_HZ]
    last = int(np.flatnonzero(amplitude >= _LEAST_SHARE)[-1])
    if last == 0:
        return None
    steps = np.diff(amplitude[: last + 1])
    return -float(np.hypot(1 / last, steps).sum())
