"""Any Gymnasium environment as one of ours: its spaces become specs, its names LeRobot's keys."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from etude.core.clock import SimClock
from etude.core.errors import ConfigError, MissingExtra
from etude.core.frame import ENVIRONMENT_STATE, IMAGES, STATE, Frame
from etude.core.spec import Spec, Specs
from etude.envs.env import Step, Wait, no_wait

PIXELS, IMAGE = "pixels", "observation.image"
KEYS = {"agent_pos": STATE, "environment_state": ENVIRONMENT_STATE}
"""What LeRobot calls the vectors that its Gymnasium environments show."""


def make(identity: str, extra: str, *, max_ticks: int, **choices: Any) -> Any:
    """Make the environment registered as `PACKAGE/NAME`; raise `MissingExtra` where its package is not installed."""
    try:
        gymnasium = importlib.import_module("gymnasium")
        importlib.import_module(identity.partition("/")[0])
    except ModuleNotFoundError as error:
        raise MissingExtra(f"The environment {identity}", extra) from error
    return gymnasium.make(identity, max_episode_steps=max_ticks, disable_env_checker=True, **choices)


class GymnasiumEnv:
    """Acts in a Gymnasium environment, on a simulated clock at `hz` ticks per second.

    It observes vectors (`agent_pos`, `environment_state`, or a bare one) as float32 and pictures (`pixels`, one or
    several) as uint8. Actions pass as they are: the spaces that environments announce for them are often not what they
    take, such as -1 to 1 for radians. `names` are those of the joints, for the state and the action.
    """

    def __init__(self, env: Any, *, hz: float, max_ticks: int | None = None, names: tuple[str, ...] = ()) -> None:
        self.env, self.hz, self.max_ticks = env, hz, max_ticks
        self._places = _places(env.observation_space)
        self.observation: Specs = {key: _spec(key, space, names) for key, (_, space) in self._places.items()}
        self.action = _action(env.action_space, names)
        self.clock = SimClock()
        self._is_open = True

    def reset(self, seed: int) -> Frame:
        """Start an episode; the same seed gives the same start."""
        seen, _ = self.env.reset(seed=seed)
        return self._frame(seen)

    def step(self, action: np.ndarray, wait: Wait = no_wait) -> Step:
        """Apply `action` for one tick, and look again."""
        applied = np.asarray(action, self.action.dtype)
        seen, reward, terminated, truncated, info = self.env.step(applied)
        before = self.clock.now()
        wait()
        if self.clock.now() == before:
            self.clock.sleep_until(before + 1 / self.hz)
        return Step(
            frame=self._frame(seen),
            action=applied,
            reward=float(reward),
            terminated=bool(terminated),
            truncated=bool(truncated),
            success=bool(info.get("is_success", info.get("success", False))),
        )

    def render(self) -> np.ndarray:
        """Draw what is seen from outside (height, width, 3), uint8; for videos."""
        return np.asarray(self.env.render(), np.uint8)

    def close(self) -> None:
        """Close the environment."""
        if self._is_open:
            self._is_open = False
            self.env.close()

    def _frame(self, seen: Any) -> Frame:
        return {key: np.array(_at(seen, path), self.observation[key].dtype) for key, (path, _) in self._places.items()}


def _at(seen: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        seen = seen[name]
    return seen


def _places(space: Any) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Map our keys to where an observation has them, and to the space there."""
    spaces: dict[tuple[str, ...], Any] = {}
    for name, part in _parts(space).items():
        inner = _parts(part) if name == PIXELS else {"": part}
        spaces |= {tuple(filter(None, (name, view))): one for view, one in inner.items()}
    return {_key(path, part): (path, part) for path, part in spaces.items()}


def _parts(space: Any) -> Mapping[str, Any]:
    """Give the parts of a dictionary of spaces; a bare space is one part without a name."""
    return dict(space.spaces) if isinstance(getattr(space, "spaces", None), Mapping) else {"": space}


def _key(path: tuple[str, ...], space: Any) -> str:
    """Give our key for what an observation has at `path`."""
    if _is_picture(space):
        views = tuple(name for name in path if name != PIXELS)
        return IMAGES + views[-1] if views else IMAGE
    return KEYS.get(path[-1], f"observation.{path[-1]}") if path else STATE


def _is_picture(space: Any) -> bool:
    return len(space.shape or ()) == 3 and space.dtype == np.uint8


def _spec(key: str, space: Any, names: tuple[str, ...]) -> Spec:
    if _is_picture(space):
        return Spec(shape=tuple(space.shape), dtype="uint8")
    if not _is_vector(space):
        raise ConfigError(f"'{key}' should be a Box that is a vector or a picture, got {space}.")
    return Spec(shape=tuple(space.shape), names=names if key == STATE else ())


def _action(space: Any, names: tuple[str, ...]) -> Spec:
    if not _is_vector(space):
        raise ConfigError(f"The environment should take a Box that is a vector as its action, got {space}.")
    return Spec(shape=tuple(space.shape), names=names)


def _is_vector(space: Any) -> bool:
    """Tell whether a space is a Box of numbers along one axis; other spaces have no bounds."""
    return hasattr(space, "low") and len(space.shape) == 1
