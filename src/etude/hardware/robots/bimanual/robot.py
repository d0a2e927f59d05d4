"""Two robots as one: left first, names told apart by `left_` and `right_`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TypeVar

import numpy as np

from etude.core.frame import ACTION, IMAGES, STATE, Frame
from etude.core.spec import Specs
from etude.hardware import robots
from etude.hardware.device import Robot
from etude.hardware.health import Health
from etude.hardware.robots.bimanual.config import Config
from etude.hardware.sides import SIDES, side_by_side

T = TypeVar("T")


def build(config: Config) -> Bimanual:
    """Make the robot; it is not connected yet."""
    left, right = (robots.build(side) for side in config.sides())
    return Bimanual(left, right)


class Bimanual:
    """A left and a right robot that are observed and moved together."""

    def __init__(self, left: Robot, right: Robot) -> None:
        self.left, self.right = left, right
        self._sides = dict(zip(SIDES, (left, right), strict=True))
        self.name = f"bi_{left.name}" if left.name == right.name else "bimanual"
        self.kinds = {f"{side}_": getattr(robot, "kind", None) for side, robot in self._sides.items()}
        self.uses_degrees = all(getattr(robot, "uses_degrees", True) for robot in (left, right))
        self.scene = left.scene or right.scene
        self.action = side_by_side(left.action, right.action)
        state = side_by_side(left.observation[STATE], right.observation[STATE])
        pictures = {
            _key(side, key): spec
            for side, robot in self._sides.items()
            for key, spec in robot.observation.items()
            if key != STATE
        }
        self.observation: Specs = {STATE: state} | pictures
        self.camera_times: dict[str, float] = {}
        self.clipped: tuple[str, ...] = ()
        self.events: tuple[str, ...] = ()
        self._open = ExitStack()

    def connect(self) -> None:
        """Connect both robots, or neither."""
        with ExitStack() as opened:
            for robot in (self.right, self.left):
                opened.callback(robot.disconnect)
                robot.connect()
            self._open = opened.pop_all()

    def disconnect(self) -> None:
        """Leave both robots safe, whatever goes wrong with one of them; harmless when they are not connected."""
        opened, self._open = self._open, ExitStack()
        opened.close()

    def observe(self) -> Frame:
        """Read the left robot, then the right one."""
        seen = {side: robot.observe() for side, robot in self._sides.items()}
        self.camera_times = {
            _key(side, key): time for side, robot in self._sides.items() for key, time in robot.camera_times.items()
        }
        self.events = tuple(f"{side}: {said}" for side, robot in self._sides.items() for said in robot.events)
        pictures = {
            _key(side, key): value for side, frame in seen.items() for key, value in frame.items() if key != STATE
        }
        return {STATE: np.concatenate([frame[STATE] for frame in seen.values()])} | pictures

    def apply(self, action: np.ndarray) -> np.ndarray:
        """Command both robots; give back what was commanded, float32 (joint,)."""
        self.action.check(ACTION, action)
        parts = np.split(action, [len(self.left.action.names)])
        applied = [robot.apply(part) for robot, part in zip((self.left, self.right), parts, strict=True)]
        self.clipped = tuple(f"{side}: {said}" for side, robot in self._sides.items() for said in robot.clipped)
        return np.concatenate(applied)

    def health(self) -> Health:
        """Tell how both robots are doing."""
        both = {side: robot.health() for side, robot in self._sides.items()}
        return Health(
            motors=_together({side: one.motors for side, one in both.items()}),
            tallies=_together({side: one.tallies for side, one in both.items()}),
            cameras=_together({side: one.cameras for side, one in both.items()}),
            warnings=tuple(f"{side}: {said}" for side, one in both.items() for said in one.warnings),
        )

    def stop(self, why: str = "you asked for it") -> None:
        """Hold both arms still, whatever they are told, until `resume`."""
        self._tell("stop", why)

    def limp(self, why: str = "you asked for it") -> None:
        """Switch the torque of both arms off until `resume`."""
        self._tell("limp", why)

    def resume(self) -> None:
        """Let both arms move again, gently at first."""
        self._tell("resume")

    def _tell(self, what: str, *words: str) -> None:
        """Ask both robots for something that not every robot can do; the second even where the first fails."""
        with ExitStack() as both:
            for robot in (self.right, self.left):
                if hasattr(robot, what):
                    both.callback(getattr(robot, what), *words)


def _together(of_sides: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """Give what both sides tell by name in one mapping."""
    return {f"{side}_{name}": value for side, told in of_sides.items() for name, value in told.items()}


def _key(side: str, key: str) -> str:
    return f"{IMAGES}{side}_{key.removeprefix(IMAGES)}"
