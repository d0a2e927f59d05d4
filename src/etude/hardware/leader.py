"""An arm that a person moves: a teleoperator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np

from etude.core.errors import DeviceError
from etude.hardware.arm import Arm
from etude.hardware.arm_config import ArmConfig
from etude.hardware.arm_kind import ArmKind


class Leader:
    """Tells where its joints are; its torque is off, but for a gripper that springs back to `gripper_open`."""

    def __init__(
        self, kind: ArmKind, config: ArmConfig, *, uses_degrees: bool, gripper_open: float | None = None
    ) -> None:
        self.kind, self.uses_degrees = kind, uses_degrees
        self._port, self._gripper_open = config.port, gripper_open
        self.arm = Arm(kind, config, use_degrees=uses_degrees)
        self.scene = self.arm.scene
        self.action = self.arm.spec
        self.events: tuple[str, ...] = ()
        """What went wrong with the last reading, one sentence each."""
        self._reconnects = 0
        self._open: ExitStack | None = None

    def connect(self) -> None:
        """Open the port, check and set up the motors, and let them be moved."""
        if self._open:
            return
        with ExitStack() as opened:
            opened.callback(self.arm.disconnect)
            self.arm.connect()
            self.arm.release()
            self.arm.configure()
            if self._gripper_open is not None:
                opened.callback(self.arm.release)
                self._spring(self._gripper_open)
            self._open = opened.pop_all()

    def disconnect(self) -> None:
        """Release the motors and close the port; harmless when not connected."""
        opened, self._open = self._open, None
        if opened:
            opened.close()

    def reset(self, seed: int) -> None:
        """Do nothing: the person decides where an episode begins."""
        del seed

    def read(self) -> np.ndarray:
        """Give where the joints are, float32 (joint,)."""
        if not self._open:
            raise DeviceError(f"The leader arm on {self._port} is not connected. Call connect() first.")
        measured = self.arm.measure()
        self.events = tuple(self._troubles())
        return measured

    def _troubles(self) -> Iterator[str]:
        for motor, tally in self.arm.bus.tallies.items():
            if tally.in_a_row:
                yield f"Motor '{motor}' of the leader did not answer; its position is an earlier one."
        if self.arm.bus.reconnects > self._reconnects:
            self._reconnects = self.arm.bus.reconnects
            yield "The cable of the leader was unplugged and is back."

    def _spring(self, gripper_open: float) -> None:
        """Hold the gripper at `gripper_open`, so softly that a finger moves it."""
        gripper = self.kind.gripper or ""
        values = np.where([motor == gripper for motor in self.kind.motors], gripper_open, 0.0)
        self.arm.hold([gripper])
        self.arm.bus.write("Goal_Position", gripper, self.arm.ticks(values)[gripper])
