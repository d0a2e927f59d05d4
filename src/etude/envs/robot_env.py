"""A robot as an environment: real or simulated, it is acted in by the same loop."""

from __future__ import annotations

import numpy as np

from etude.core.clock import Clock, RealClock
from etude.core.frame import Frame
from etude.core.spec import Specs
from etude.data.timing import Timing
from etude.envs.env import Step, Wait, no_wait
from etude.hardware.device import Robot

LATE = 1.5
"""Control periods between two observations from which on the second one is late."""


class RobotEnv:
    """Acts on a connected robot at `hz`; ends with the task's success, which only a simulated scene can tell.

    After `max_ticks` an episode counts as truncated; without it, whoever runs the episode decides.
    """

    def __init__(self, robot: Robot, *, hz: float = 30.0, max_ticks: int | None = None) -> None:
        self.robot, self.hz, self.max_ticks = robot, hz, max_ticks
        self.observation: Specs = {**robot.observation, **(robot.scene.observation if robot.scene else {})}
        self.action = robot.action
        self.clock: Clock = robot.scene.clock if robot.scene else RealClock()
        self._ticks = 0
        self.timing: Timing | None = None
        """When the last observation was made."""

    @property
    def is_simulated(self) -> bool:
        """Whether there is a scene that sets itself and judges success."""
        return self.robot.scene is not None

    def reset(self, seed: int) -> Frame:
        """Start an episode; in simulation the same seed gives the same scene, a real table is set by hand."""
        self._ticks = 0
        if self.robot.scene:
            self.robot.scene.reset(seed)
        self.timing = None
        return self._observe()

    def step(self, action: np.ndarray, wait: Wait = no_wait) -> Step:
        """Apply `action`, let the tick pass with `wait`, and look again."""
        applied = self.robot.apply(action)
        clipped = self.robot.clipped
        self._let_pass(wait)
        self._ticks += 1
        success = bool(self.robot.scene and self.robot.scene.success())
        return Step(
            frame=self._observe(),
            action=applied,
            reward=float(success),
            terminated=success,
            truncated=self._ticks == self.max_ticks,
            success=success,
            clipped=clipped,
        )

    def close(self) -> None:
        """Disconnect the robot."""
        self.robot.disconnect()

    def _observe(self) -> Frame:
        now, frame = self.clock.now(), self.robot.observe()
        is_late = self.timing is not None and now - self.timing.time_s > LATE / self.hz
        camera_time_s, trouble = self.robot.camera_times, self.robot.events
        self.timing = Timing(time_s=now, is_late=is_late, camera_time_s=camera_time_s, trouble=trouble)
        return {**frame, **self.robot.scene.observe()} if self.robot.scene else frame

    def _let_pass(self, wait: Wait) -> None:
        """Wait; where that lets no simulated time pass, let one tick pass."""
        before = self.clock.now()
        wait()
        if self.is_simulated and self.clock.now() == before:
            self.clock.sleep_until(before + 1 / self.hz)
