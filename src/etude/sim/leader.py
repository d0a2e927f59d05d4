"""A leader arm in simulation: real firmware at its joints, and a person who moves them."""

from __future__ import annotations

import math

import numpy as np

from etude.core.clock import Clock
from etude.sim.makes import Make
from etude.sim.person import Person
from etude.sim.wire import Wire

HAND_RAD_S = 5.0
"""How fast a person turns a joint, at most."""
HAND_NM = 0.6
"""How hard a person pulls at a joint that resists, at most."""
_GRIP_NM_RAD = 6.0
"""A hand is soft: it pulls by so much for each radian that the joint is behind."""
_DRAG_NMS_RAD = 0.6
_DRAG_NM = 0.05
"""Friction of gears that are turned from outside."""
_THINK_S = 1 / 60
"""How often a person sees something new."""
_STEP_S = 0.004
_LONGEST_STEPS = 500
"""After a longer time in which nobody asked, the joints stand where they would have come by then, or nearly so."""


class SimLeader:
    """A leader arm. It has no weight: a person holds it. Switched on, its servos resist the person's hand.

    Nobody sees it move between two questions on its wire, so that is when it is moved: it costs nothing in between.
    """

    def __init__(self, make: Make, clock: Clock) -> None:
        self.make = make
        self.wire = Wire(make.wire(), clock.now)
        self.servos = self.wire.servos
        self.person: Person | None = None
        """Who moves it; nobody does at first."""
        self._clock = clock
        self._low, self._high = np.array([link.range_rad for link in make.body.links]).T
        self.reset(0, None)

    def reset(self, seed: int, joints: np.ndarray | None) -> None:
        """Put the joints at `joints` [rad], or at the arm's start, and tell the person that an episode begins."""
        wanted = self.make.start_rad if joints is None or len(joints) != len(self.servos) else joints
        self._position = np.clip(wanted, self._low, self._high)
        self._velocity = np.zeros(len(self.servos))
        self._wish, self._thought_s = self._position.copy(), -math.inf
        self._seen_s = self._clock.now()
        for servo, position in zip(self.servos, self._position.tolist(), strict=True):
            servo.settle(position)
        if self.person:
            self.person.begin(seed)

    @property
    def joints(self) -> np.ndarray:
        """Joint positions [rad], in motor order, as they were last asked for."""
        return self._position.copy()

    def exchange(self, data: bytes, baud_rate: int | None = None) -> bytes:
        """Send `data` to the servos that listen at `baud_rate`, as the arm is now, and give what they answer."""
        self._catch_up()
        return self.wire.exchange(data, baud_rate)

    def _catch_up(self) -> None:
        now = self._clock.now()
        elapsed, self._seen_s = now - self._seen_s, now
        if now - self._thought_s >= _THINK_S:
            wish = self.person.wish(now, self.joints) if self.person else self.joints
            self._wish, self._thought_s = np.clip(wish, self._low, self._high), now
        wish = self._wish
        free = np.array([not servo.resists for servo in self.servos])
        self._follow_hand(np.where(free, wish, self._position), elapsed)
        if not free.all():
            self._wrestle(~free, wish, elapsed)
        state = zip(self.servos, self._position.tolist(), self._velocity.tolist(), free.tolist(), strict=True)
        for servo, position, velocity, is_free in state:
            servo.torque(position, velocity, elapsed if is_free else 0.0)

    def _follow_hand(self, wish: np.ndarray, elapsed_s: float) -> None:
        """Bring the joints to where the hand wants them, as fast as a hand is."""
        most = HAND_RAD_S * elapsed_s
        step = np.clip(wish - self._position, -most, most)
        self._position = self._position + step
        self._velocity = step / elapsed_s if elapsed_s > 0 else np.zeros(len(step))

    def _wrestle(self, held: np.ndarray, wish: np.ndarray, elapsed_s: float) -> None:
        """Let hand and servo pull at the joints that are `held`; the heavier gears creep where the stronger pulls."""
        num_steps = min(max(round(elapsed_s / _STEP_S), 1 if elapsed_s else 0), _LONGEST_STEPS)
        for number in np.flatnonzero(held):
            servo, position, velocity = self.servos[number], float(self._position[number]), 0.0
            for _ in range(num_steps):
                dt = elapsed_s / num_steps
                hand = min(max(_GRIP_NM_RAD * (float(wish[number]) - position), -HAND_NM), HAND_NM)
                pull = hand + servo.torque(position, velocity, dt)
                velocity = _creep(pull)
                position = min(max(position + velocity * dt, self._low[number]), self._high[number])
            self._position[number], self._velocity[number] = position, velocity


def _creep(nm: float) -> float:
    """Give the speed at which gears turn that are pulled by `nm` [rad/s]."""
    return (max(nm - _DRAG_NM, 0.0) + min(nm + _DRAG_NM, 0.0)) / _DRAG_NMS_RAD
