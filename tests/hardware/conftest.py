from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from etude.hardware.bus import Motor
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215


@dataclass
class MemoryLine:
    """A line without a wire: what is written goes to `answer`, whose reply can be read at once."""

    answer: Callable[[bytes], bytes]
    name: str = "memory"
    scene: None = None
    sent: list[bytes] = field(default_factory=list)
    pending: bytes = b""
    is_open: bool = False

    def open(self):
        self.is_open = True
        return self

    def write(self, data):
        self.sent.append(data)
        self.pending += self.answer(data)

    def read(self, size, timeout_s):
        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def discard(self):
        self.pending = b""

    def set_baud_rate(self, baud_rate):
        pass

    def close(self):
        self.is_open = False


MOTORS = {name: Motor(id=number, model="sts3215") for number, name in enumerate(("shoulder", "elbow", "gripper"), 1)}


@pytest.fixture
def servos():
    return [Sts3215(motor.id) for motor in MOTORS.values()]


@pytest.fixture
def line(servos):
    return MemoryLine(ServoChain(servos).exchange)


@pytest.fixture
def bus(line):
    return FeetechBus(line, MOTORS)


class Clock:
    """A time that passes only when somebody waits."""

    time = 0.0

    def now(self):
        return self.time

    def sleep_until(self, instant):
        self.time = max(self.time, instant)


class SlowLine:
    """A line and its clock: what is written is answered after `delay_s`, and reading waits as a real port does."""

    name = "slow"

    def __init__(self, answer, delay_s=0.0):
        self.answer, self.delay_s, self.clock = answer, delay_s, Clock()
        self.coming, self.received = [], b""
        self.scene = SimpleNamespace(clock=self.clock)

    def open(self):
        return self

    def close(self):
        pass

    def set_baud_rate(self, baud_rate):
        pass

    def write(self, data):
        self.coming.append((self.clock.time + self.delay_s, self.answer(data)))

    def read(self, size, timeout_s):
        deadline = self.clock.time + timeout_s
        while len(self.received) < size and self.coming and self.coming[0][0] <= deadline:
            due, data = self.coming.pop(0)
            self.clock.sleep_until(due)
            self.received += data
        if len(self.received) < size:
            self.clock.sleep_until(deadline)
        data, self.received = self.received[:size], self.received[size:]
        return data

    def discard(self):
        self.read(1 << 16, 0.0)


class VendorPort:
    """What the vendors' SDKs want of a port, with `answer` at its other end."""

    # The names are those that the SDKs call.
    # ruff: noqa: N802
    is_using = False

    def __init__(self, answer=lambda _: b""):
        self.answer, self.sent, self.pending = answer, [], b""

    def clearPort(self):
        self.pending = b""

    def writePort(self, data):
        self.sent.append(bytes(data))
        self.pending += self.answer(bytes(data))
        return len(data)

    def readPort(self, size):
        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def setPacketTimeout(self, length):
        pass

    def setPacketTimeoutMillis(self, milliseconds):
        pass

    def isPacketTimeout(self):
        return not self.pending

    def getBaudRate(self):
        return 1_000_000


@pytest.fixture(scope="session")
def vendor_port():
    return VendorPort


@pytest.fixture(scope="session")
def make_line():
    """Make a line without a wire, of which the other end is a function."""
    return MemoryLine


@pytest.fixture(scope="session")
def slow_line():
    return SlowLine
