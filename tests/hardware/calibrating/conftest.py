import math
from types import SimpleNamespace

import pytest

from etude.core.errors import DeviceError
from etude.hardware.bodies import body
from etude.hardware.calibrating import Answer, Done, Hold, Look, Sweep
from etude.hardware.health import Vitals
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER

TURN = 4096
SO101 = body("so101")
RANGES = {link.joint: link.range_rad for link in SO101.links}


class BenchBus:
    """Registers in memory, and encoders at joint angles that a test sets: what a Feetech wire comes down to."""

    homing_sign, max_offset = -1, 2047

    def __init__(self, motors, zeros):
        """`zeros` are the ticks that the bare encoders show at joint angle zero."""
        self.motors, self.zeros = dict(motors), dict(zeros)
        self.line = SimpleNamespace(name="bench", scene=None)
        self.rad = dict.fromkeys(motors, 0.0)
        self.registers = {
            motor: {
                "Homing_Offset": 0,
                "Min_Position_Limit": 0,
                "Max_Position_Limit": TURN - 1,
                "Torque_Enable": 1,
                "Drive_Mode": 0,
            }
            for motor in motors
        }
        self.written = []
        self.refuses = set()

    def resolution(self, motor):
        return TURN

    def read(self, name, motor):
        if name != "Present_Position":
            return self.registers[motor][name]
        encoder = round(self.rad[motor] * TURN / (2 * math.pi)) + self.zeros[motor]
        return (encoder + self.homing_sign * self.registers[motor]["Homing_Offset"]) % TURN

    def sync_read(self, name, motors=None):
        return {motor: self.read(name, motor) for motor in motors or self.motors}

    poll = sync_read

    def write(self, name, motor, value, *, despite_faults=False):
        if (name, motor) in self.refuses:
            raise DeviceError(f"{motor} refuses {name}.")
        if name == "Homing_Offset":
            assert abs(value) <= self.max_offset
        self.written.append((name, motor, value))
        self.registers[motor][name] = value

    def vitals(self, motor):
        return Vitals(voltage_v=7.4, temperature_c=25.0, load=0.0)


@pytest.fixture
def so101():
    """Make a bench with the motors of an SO-101 whose horns sit anywhere."""

    def make(**zeros):
        return BenchBus(SO101_FOLLOWER.motors, dict.fromkeys(SO101_FOLLOWER.motors, 2048) | zeros)

    return make


class Hand:
    """A person who does what the steps ask: moves every joint from end to end, then holds the middle pose."""

    def __init__(self, bus, *, order=None, share=None, held=None, step_rad=0.1):
        self.bus, self.order = bus, order or [joint for joint in RANGES if joint != "wrist_roll"]
        self.share, self.held, self.step_rad = share or {}, held or {}, step_rad
        self.seen = []

    def run(self, steps):
        """Play the whole calibration; give its end, and the steps seen, each kind once in a row."""
        answer, path = None, None
        step = next(steps)
        while not isinstance(step, Done):
            if not self.seen or type(self.seen[-1]) is not type(step):
                self.seen.append(step)
            if isinstance(step, Sweep):
                path = path or self._path()
                answer = None if next(path, "end") != "end" else Answer.NEXT
            elif isinstance(step, Hold):
                self._hold()
                answer = Answer.NEXT
            else:
                assert isinstance(step, Look)
                self.seen[-1] = step
                answer = self.decide(step)
                path = None
            step = steps.send(answer)
        return step

    def decide(self, look):
        return Answer.NEXT

    def _path(self):
        for joint in self.order:
            low, high = RANGES[joint]
            share = self.share.get(joint, 1.0)
            middle = (low + high) / 2
            low, high = middle + share * (low - middle), middle + share * (high - middle)
            for goal in (low, high, middle):
                while self.bus.rad[joint] != goal:
                    far = goal - self.bus.rad[joint]
                    step = math.copysign(self.step_rad, far)
                    self.bus.rad[joint] = goal if abs(far) <= self.step_rad else self.bus.rad[joint] + step
                    yield

    def _hold(self):
        for joint, (low, high) in RANGES.items():
            middle = low if joint == "gripper" else (low + high) / 2
            self.bus.rad[joint] = self.held.get(joint, middle)
        self.bus.rad["wrist_roll"] = self.held.get("wrist_roll", 0.0)


@pytest.fixture
def hand():
    return Hand
