"""The driver of an SO-101 follower; the simulated arm is driven by the same bytes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

from etude.core.clock import RealClock
from etude.core.errors import ConfigError, DeviceError
from etude.core.frame import ACTION, IMAGES, STATE, Frame
from etude.core.spec import Spec, Specs
from etude.hardware import cameras
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.calibration import Calibration, Norm, Scale, calibration_path, load_calibration
from etude.hardware.device import Camera
from etude.hardware.gate import Gate
from etude.hardware.line import line_at
from etude.hardware.robots.so101_follower import motors
from etude.hardware.robots.so101_follower.config import Config
from etude.hardware.robots.so101_follower.motors import GRIPPER, MOTORS

JOINTS = tuple(f"{motor}.pos" for motor in MOTORS)


def build(config: Config) -> So101Follower:
    """Make the robot; it is not connected yet."""
    return So101Follower(config)


class So101Follower:
    """Six joints, in degrees but for the gripper (0 closed, 100 open), and cameras."""

    name = "so_follower"

    def __init__(self, config: Config) -> None:
        self._config = config
        self._max_reach = _max_reach(config)
        self._line = line_at(config.port)
        self.scene = self._line.scene
        self._clock = self.scene.clock if self.scene else RealClock()
        self._cameras = _cameras(config, is_simulated=self.scene is not None)
        self.action = Spec(shape=(len(JOINTS),), names=JOINTS)
        pictures = {IMAGES + name: camera.spec for name, camera in self._cameras.items()}
        self.observation: Specs = {STATE: self.action} | pictures
        self.clipped: tuple[str, ...] = ()
        """Why the last applied action is another than the one asked for."""
        self.camera_times: dict[str, float] = {}
        self._bus: FeetechBus | None = None
        self._open = ExitStack()

    def connect(self) -> None:
        """Open the port, check and set up the motors, and hold the arm where it is."""
        if self._bus:
            return
        with ExitStack() as opened:
            opened.callback(self._line.close)
            bus = FeetechBus(self._line.open(), MOTORS, retries=self._config.num_read_retries)
            motors.greet(bus)
            self._use(self._find_calibration(bus))
            for camera in self._cameras.values():
                opened.callback(camera.disconnect)
                camera.connect()
            motors.release(bus)
            motors.configure(bus, self._config)
            if self._config.disable_torque_on_disconnect:
                opened.callback(motors.release, bus)
            motors.hold(bus)
            self._gate.start(self._read_joints(bus), self._clock.now())
            self._bus, self._open = bus, opened.pop_all()

    def observe(self) -> Frame:
        """Read the joints, then the cameras."""
        state = self._read_joints(self._connected())
        self._gate.see(state, self._clock.now())
        pictures = {IMAGES + name: camera.read() for name, camera in self._cameras.items()}
        self.camera_times = {IMAGES + name: camera.taken_at for name, camera in self._cameras.items()}
        return {STATE: state} | pictures

    def apply(self, action: np.ndarray) -> np.ndarray:
        """Command the joints through the safety gate; give back what was commanded, float32 (joint,)."""
        bus = self._connected()
        self.action.check(ACTION, action)
        applied, self.clipped = self._gate.admit(action, self._clock.now())
        ticks = self._scale.to_ticks(applied).tolist()
        bus.sync_write("Goal_Position", dict(zip(MOTORS, ticks, strict=True)))
        return applied

    def disconnect(self) -> None:
        """Release the torque unless told otherwise, and close everything; harmless when not connected."""
        opened, self._bus, self._open = self._open, None, ExitStack()
        opened.close()

    def _connected(self) -> FeetechBus:
        if self._bus is None:
            raise DeviceError(f"The arm on {self._config.port} is not connected. Call connect() first.")
        return self._bus

    def _read_joints(self, bus: FeetechBus) -> np.ndarray:
        ticks = np.array(list(bus.sync_read("Present_Position").values()))
        return self._scale.to_units(ticks).astype(np.float32)

    def _find_calibration(self, bus: FeetechBus) -> Calibration:
        """Take the calibration file and make sure that the motors agree; without a file, what the motors hold."""
        config, held = self._config, motors.read_calibration(bus)
        path = calibration_path("robots", self.name, config.id, config.calibration_dir)
        if path.exists() and not (self.scene and config.id is None):
            stored = load_calibration(path)
            motors.check_calibration(stored, held, path, config.port)
            return {motor: stored[motor] for motor in MOTORS}
        if not motors.is_calibrated(held):
            raise DeviceError(
                f"The arm on {config.port} is not calibrated: its motors hold no ranges and there is no file {path}. "
                f"Give its id, or calibrate it: lerobot-calibrate --robot.type=so101_follower "
                f"--robot.port={config.port} --robot.id={config.id}"
            )
        return held

    def _use(self, calibration: Calibration) -> None:
        arm = Norm.DEGREES if self._config.use_degrees else Norm.RANGE_M100_100
        self._scale = Scale(calibration, [Norm.RANGE_0_100 if motor == GRIPPER else arm for motor in MOTORS])
        low, high = self._scale.limits()
        self._gate = Gate(JOINTS, low, high, max_reach=self._max_reach, max_speed=self._config.max_speed)


def _max_reach(config: Config) -> np.ndarray:
    """Give `max_relative_target` by joint, infinite where there is none."""
    given = config.max_relative_target
    by_motor = given if isinstance(given, dict) else dict.fromkeys(MOTORS, np.inf if given is None else given)
    if unknown := [motor for motor in by_motor if motor not in MOTORS]:
        raise ConfigError(f"max_relative_target names {', '.join(unknown)}; the motors are {', '.join(MOTORS)}.")
    if any(reach <= 0 for reach in by_motor.values()):
        raise ConfigError(f"max_relative_target should be positive, got {given}.")
    return np.array([by_motor.get(motor, np.inf) for motor in MOTORS])


def _cameras(config: Config, *, is_simulated: bool) -> dict[str, Camera]:
    chosen: dict[str, Any] = config.cameras
    if is_simulated and not chosen:
        chosen = {view: cameras.config("sim")(view=view, width=96, height=96) for view in ("front", "wrist")}
    return {name: cameras.build(camera) for name, camera in chosen.items()}
