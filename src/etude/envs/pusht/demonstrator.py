"""Somebody who can do PushT: imagines every push with the game's own physics, and makes the most useful one."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from etude.core.errors import MissingExtra
from etude.core.frame import ENVIRONMENT_STATE, STATE, Frame
from etude.envs.pusht.tee import AGENT_RADIUS, contacts, distance, misplacement, placed, pose_of, turned
from etude.envs.pusht.way import along, is_clear, is_inside, way

try:
    from gym_pusht.envs.pusht import PushTEnv
except ModuleNotFoundError as error:
    raise MissingExtra("PushT", "pusht") from error

TRAVEL, PUSH = 22.0, 10.0
"""How far the disc's goal moves in a tick, free and pushing [px]."""
_GAP = AGENT_RADIUS + 5
_FARTHEST = 150.0
_NEARLY = (-16.0, -12.0, -8.0, -4.0, 0.0, 4.0)
"""How much farther to push than a first guess, when it is looked at closely [px]."""
_LOOKED_AT = 8
_SETTLING = 2
"""Ticks in which the disc reaches its goal."""
_DETOUR = 1.6


@dataclass(frozen=True)
class Push:
    """One push: from `start` in `direction`, `reach` far."""

    start: np.ndarray
    direction: np.ndarray
    reach: float
    before: float
    """Ticks until it begins."""
    worth: float

    def goals(self, reach: float) -> np.ndarray:
        """Give the disc's goals (tick, 2), ending with a stand."""
        moving = along([self.start, self.start + reach * self.direction], PUSH)
        return np.concatenate([moving, np.repeat(moving[-1:], _SETTLING, axis=0)])


class Demonstrator:
    """Sees `observation.environment_state` (16,) and `observation.state` (2,) and gives where the disc should go."""

    def __init__(self) -> None:
        self._game = PushTEnv(obs_type="environment_state_agent_pos")
        self._game.reset(seed=0)
        self._goals: deque[np.ndarray] = deque()

    def reset(self, seed: int) -> None:
        """Forget what was planned."""
        del seed
        self._goals.clear()

    def act(self, frame: Frame) -> np.ndarray:
        """Give the disc's goal (2,), float32, in pixels."""
        if not self._goals:
            self._plan(pose_of(frame[ENVIRONMENT_STATE]), np.asarray(frame[STATE], float))
        return self._goals.popleft().astype(np.float32)

    def _plan(self, pose: np.ndarray, disc: np.ndarray) -> None:
        guesses = sorted(self._guesses(pose, disc), key=lambda push: -push.worth)[:_LOOKED_AT]
        closely = [self._looked_at(pose, push, push.reach + more) for push in guesses for more in _NEARLY]
        best = max(closely, key=lambda push: push.worth)
        approach = along(way(pose, disc, best.start), TRAVEL)
        self._goals.extend([*approach, *[best.start] * _SETTLING, *best.goals(best.reach)])

    def _guesses(self, pose: np.ndarray, disc: np.ndarray) -> Iterator[Push]:
        """Give for each contact the push that stops at the best moment.

        Few contacts, pushed straight: who learns from this has to tell which one was chosen.
        """
        for point, normal in zip(*contacts(), strict=True):
            start = placed(pose, point + _GAP * normal)
            if not is_inside(start) or distance(pose, start) < AGENT_RADIUS + 1:
                continue
            detour = 1 if is_clear(pose, disc, start, AGENT_RADIUS) else _DETOUR
            before = (float(np.linalg.norm(start - disc)) * detour + PUSH) / TRAVEL + 2 * _SETTLING
            direction = turned(-normal, pose[2])
            goals = start + direction * np.arange(PUSH, _FARTHEST, PUSH)[:, None]
            ends = self._imagine(pose, start, [goal for goal in goals if is_inside(goal)])
            worths = [_worth(pose, end, before + ticks) for ticks, end in enumerate(ends, 1)]
            if worths:
                best = int(np.argmax(worths))
                yield Push(start, direction, (best + 1) * PUSH, before, worths[best])

    def _looked_at(self, pose: np.ndarray, push: Push, reach: float) -> Push:
        """Imagine the push to its very end."""
        reach = max(reach, PUSH / 2)
        goals = push.goals(reach)
        end = self._imagine(pose, push.start, list(goals))[-1]
        worth = _worth(pose, end, push.before + len(goals))
        return Push(push.start, push.direction, reach, push.before, worth)

    def _imagine(self, pose: np.ndarray, start: np.ndarray, goals: list[np.ndarray]) -> list[np.ndarray]:
        """Give where the T is after each tick, if the disc stands at `start` and then follows `goals`."""
        block, disc = self._game.block, self._game.agent
        block.angle, block.position = float(pose[2]), (float(pose[0]), float(pose[1]))
        block.velocity, block.angular_velocity = (0, 0), 0
        disc.position, disc.velocity = (float(start[0]), float(start[1])), (0, 0)
        for body in (block, disc):
            self._game.space.reindex_shapes_for_body(body)
        return [self._tick(*goal.tolist()) for goal in goals]

    def _tick(self, x: float, y: float) -> np.ndarray:
        """Do what the game does in a tick, but for drawing and scoring."""
        game, disc = self._game, self._game.agent
        for _ in range(round(1 / (game.dt * game.control_hz))):
            (at_x, at_y), (fast_x, fast_y) = disc.position, disc.velocity
            push_x, push_y = (game.k_p * (x - at_x) - game.k_v * fast_x, game.k_p * (y - at_y) - game.k_v * fast_y)
            disc.velocity = (fast_x + push_x * game.dt, fast_y + push_y * game.dt)
            game.space.step(game.dt)
        return np.array([*game.block.position, game.block.angle])


def _worth(before: np.ndarray, after: np.ndarray, ticks: float) -> float:
    """Tell how much a tick gains; the last pixels are worth more than the first ones."""
    return (math.log(misplacement(before) + 6) - math.log(misplacement(after) + 6)) / ticks
