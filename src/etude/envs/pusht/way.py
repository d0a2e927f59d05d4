"""Walking around the T without touching it."""

from __future__ import annotations

import numpy as np

from etude.envs.pusht.tee import AGENT_RADIUS, around, distance, outward

WALL = 22.0
"""Nearer to an end of the field than this the disc does not go."""
FIELD = 512.0
_MARGIN = AGENT_RADIUS + 8
_NEAREST = AGENT_RADIUS + 3
_ENDS = WALL + 1, FIELD - WALL - 1
_OUTER = np.array([[x, y] for x in _ENDS for y in _ENDS])
"""The field's own corners, for a T that lies at a wall."""
_LOOK = 4.0


def way(pose: np.ndarray, start: np.ndarray, end: np.ndarray) -> list[np.ndarray]:
    """Give the corners (2,) of a short way from `start` to `end` clear of the T; straight if there is none."""
    first, last = (_off(pose, point) for point in (start, end))
    found = _shortest(pose, [first, *np.clip(around(pose, _MARGIN), *_ENDS), *_OUTER, last])
    return [start, *found, end] if found else [start, end]


def along(corners: list[np.ndarray], stride: float) -> np.ndarray:
    """Give points (n, 2) on a way, at most `stride` apart, without its start."""
    points = np.array(corners)
    passed = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    number = max(1, int(np.ceil(passed[-1] / stride)))
    at = np.arange(1, number + 1) / number * passed[-1]
    return np.stack([np.interp(at, passed, points[:, axis]) for axis in (0, 1)], 1)


def is_clear(pose: np.ndarray, start: np.ndarray, end: np.ndarray, margin: float) -> bool:
    """Tell whether a disc can go straight from `start` to `end` with its centre at `margin` from the T."""
    number = max(2, int(np.linalg.norm(end - start) // _LOOK))
    line = start + np.linspace(0, 1, number)[:, None] * (end - start)
    return bool(distance(pose, line).min() > margin)


def is_inside(point: np.ndarray) -> bool:
    """Tell whether the disc may be there."""
    return bool(point.min() > WALL and point.max() < FIELD - WALL)


def _off(pose: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Give the point itself, or one away from the T where it is too near."""
    lacking = _MARGIN - float(distance(pose, point))
    return np.clip(point + lacking * outward(pose, point), *_ENDS) if lacking > 0 else point


def _shortest(pose: np.ndarray, places: list[np.ndarray]) -> list[np.ndarray] | None:
    """Go from the first place to the last one by others that see each other (Dijkstra, 1959)."""
    best, ways = {0: 0.0}, {0: [places[0]]}
    waiting = {0}
    while waiting:
        here = min(waiting, key=best.__getitem__)
        waiting.remove(here)
        if here == len(places) - 1:
            return ways[here]
        for there, place in enumerate(places):
            length = best[here] + float(np.linalg.norm(place - places[here]))
            if length < best.get(there, np.inf) and is_clear(pose, places[here], place, _NEAREST):
                best[there], ways[there] = length, [*ways[here], place]
                waiting.add(there)
    return None
