"""A follower as it meets a real arm: six servos behind a line in memory, no scene, a calibration file."""

import numpy as np
import pytest

from etude.hardware import arm as arm_module
from etude.hardware import robots
from etude.hardware.buses.feetech import bus as feetech
from etude.hardware.calibration import MotorCalibration, save_calibration
from etude.hardware.robots.so101_follower.kind import MOTORS
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215

DT = 0.002
RANGE = (-1.5, 1.5)
LOW, HIGH = 1070, 3026  # 2048 +- 1.5 rad x 4096 / 2 pi


class Clock:
    """A time that the test sets."""

    time = 0.0

    def now(self):
        return self.time

    def __init__(self, live):
        self._live = live

    def sleep_until(self, instant):
        if instant > self.time:
            self._live(instant - self.time)


class Arm:
    """Six calibrated servos on a line, each with a joint that follows its torque without friction or gravity."""

    def __init__(self, line):
        self.servos = [Sts3215(motor.id, range_rad=RANGE) for motor in MOTORS.values()]
        self.line = line(ServoChain(self.servos).exchange)
        self.clock = Clock(self.rest)
        self.position, self.velocity = np.zeros(6), np.zeros(6)
        self.rest()

    def rest(self, seconds=DT):
        """Let time pass."""
        for _ in range(round(seconds / DT)):
            state = zip(self.servos, self.position, self.velocity, strict=True)
            torque = np.array([servo.torque(position, velocity, DT) for servo, position, velocity in state])
            self.velocity += (torque - 0.6 * self.velocity) / 0.05 * DT
            self.position += self.velocity * DT
        self.clock.time += seconds

    def registers(self, name):
        return [servo.memory.get(name) for servo in self.servos]


@pytest.fixture
def arm(line, monkeypatch):
    arm = Arm(type(line))
    monkeypatch.setattr(feetech, "line_at", lambda port, **_: arm.line)
    monkeypatch.setattr(arm_module, "RealClock", lambda: arm.clock)
    return arm


@pytest.fixture
def config(tmp_path):
    stored = {
        name: MotorCalibration(id=motor.id, drive_mode=0, homing_offset=0, range_min=LOW, range_max=HIGH)
        for name, motor in MOTORS.items()
    }
    save_calibration(tmp_path / "red.json", stored)
    options = {"rest_pose": {}, "guardian": False, "table_height_m": None}
    return robots.config("so101_follower")(port="/dev/ttyTEST", id="red", calibration_dir=tmp_path, **options)


@pytest.fixture
def robot(arm, config):
    robot = robots.build(config)
    robot.connect()
    yield robot
    robot.disconnect()
