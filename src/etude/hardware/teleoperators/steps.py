"""Steps: how devices drive an arm without knowing where it is, and what is chosen about them.

An action named `elbow_flex.step` moves a joint by so much in this tick, in the arm's own units; `hand.x.step` and its
like move the hand in the frame of the arm's base [m, rad]. No push is a step of zero: the arm holds still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from etude.core.clock import Clock
from etude.core.errors import ConfigError
from etude.core.spec import Spec

STEP = ".step"
PLACE_AXES, TURN_AXES = ("x", "y", "z"), ("pitch", "roll")
HAND_AXES = PLACE_AXES + TURN_AXES
"""What a hand can be moved along [m], in the frame of the arm's base (x forward, y left, z up), and turned about [rad]:
pitch lowers the finger tips, roll turns clockwise as seen from behind the hand."""
SO101_JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
_LONGEST_TICK_S = 0.1
"""After a longer pause the arm moves no further than in this time."""


@dataclass(frozen=True, kw_only=True)
class HandConfig:
    """How fast a device moves a hand."""

    gripper: str = "gripper"
    """The joint that opens and closes the hand; empty where there is none."""
    gripper_speed: float = 60.0
    """How fast the gripper opens and closes [units per second]; 100 units are its whole range."""
    hand_speed_m_s: float = 0.08
    """How fast the hand moves [m/s]."""
    turn_speed_rad_s: float = 0.8
    """How fast the hand turns [rad/s]."""

    def __post_init__(self) -> None:
        check_speeds(self.gripper_speed, self.hand_speed_m_s, self.turn_speed_rad_s)

    def speeds(self) -> dict[str, float]:
        """Give the speed of everything that is moved, by name without `.step`, in order."""
        hand = {f"hand.{axis}": self.hand_speed_m_s for axis in PLACE_AXES}
        hand |= {f"hand.{axis}": self.turn_speed_rad_s for axis in TURN_AXES}
        return hand | ({self.gripper: self.gripper_speed} if self.gripper else {})


@dataclass(frozen=True, kw_only=True)
class StepConfig(HandConfig):
    """What a device that gives steps moves, and how fast."""

    mode: Literal["hand", "joints"] = "hand"
    """Whether it moves the hand through space, or one joint after another."""
    joints: tuple[str, ...] = SO101_JOINTS
    """The robot's joints, for the mode `joints`."""
    joint_speed: float = 30.0
    """How fast joints turn [degrees or units per second]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_speeds(self.joint_speed)
        if self.mode == "joints" and not self.joints:
            raise ConfigError("The mode 'joints' needs joints: name the robot's.")
        if len(set(self.joints)) < len(self.joints):
            raise ConfigError(f"Every joint should be named once, got {', '.join(self.joints)}.")

    def speeds(self) -> dict[str, float]:
        """Give the speed of everything that is moved, by name without `.step`, in order."""
        if self.mode == "hand":
            return super().speeds()
        return {joint: self.gripper_speed if joint == self.gripper else self.joint_speed for joint in self.joints}


def check_speeds(*speeds: float) -> None:
    """Refuse speeds that are not positive."""
    if min(speeds) <= 0:
        raise ConfigError(f"Speeds should be positive, got {min(speeds)}.")


def step_spec(names: Mapping[str, float] | tuple[str, ...]) -> Spec:
    """Give the spec of steps of what `names` says."""
    return Spec(shape=(len(names),), names=tuple(name + STEP for name in names))


class Pushes:
    """Turns how hard each axis is pushed, -1 to 1, into steps, by the time that passed since the last ones."""

    def __init__(self, speeds: Mapping[str, float], clock: Clock) -> None:
        self._names, self._clock = tuple(speeds), clock
        self._speeds = np.array(list(speeds.values()))
        self.begin()

    def begin(self) -> None:
        """Count time from now."""
        self._last_s = self._clock.now()

    def steps(self, pushes: Mapping[str, float], faster: float = 1.0) -> np.ndarray:
        """Give the steps (axis,), float32, of `pushes` by name; what is not pushed stays."""
        now = self._clock.now()
        elapsed_s = min(max(now - self._last_s, 0.0), _LONGEST_TICK_S)
        self._last_s = now
        push = np.array([pushes.get(name, 0.0) for name in self._names])
        return (np.clip(push, -1, 1) * self._speeds * faster * elapsed_s).astype(np.float32)
