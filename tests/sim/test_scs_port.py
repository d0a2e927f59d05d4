"""Simulated servos of the SCS series behind a real pseudo-terminal: our driver and Feetech's SDK move them."""

import select
import sys
import threading
import time

import numpy as np
import pytest

from etude.hardware import buses
from etude.hardware.bus import Motor
from etude.sim.port import Port
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.scs import Scs0009
from etude.sim.wire import Wire

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pseudo-terminal takes no megabaud")

DT = 0.002
INERTIA, DRAG = 0.0005, 0.005
MOTORS = {"thumb": Motor(id=1, model="scs0009"), "index": Motor(id=2, model="scs0009")}


class Hand:
    """Two fingers without weight, in real time."""

    def __init__(self, link):
        self.servos = [Scs0009(motor.id) for motor in MOTORS.values()]
        self.wire = Wire(ServoChain(self.servos), time.perf_counter)
        self.position, self.velocity = np.zeros(2), np.zeros(2)
        self._lived_s = time.perf_counter()
        self._port = Port(link, self, time.perf_counter)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def exchange(self, data, baud_rate=None):
        return self.wire.exchange(data, baud_rate)

    def close(self):
        self._is_over.set()
        self._thread.join()
        self._port.close()

    def _live(self):
        while not self._is_over.is_set():
            ready, _, _ = select.select([self._port], [], [], DT)
            while self._lived_s < time.perf_counter():
                self._step()
            if ready:
                self._port.listen()
            self._port.answer()

    def _step(self):
        self._lived_s += DT
        state = zip(self.servos, self.position, self.velocity, strict=True)
        torque = np.array([servo.torque(position, velocity, DT) for servo, position, velocity in state])
        self.velocity += (torque - DRAG * self.velocity) / INERTIA * DT
        self.position += self.velocity * DT


@pytest.fixture
def port(tmp_path):
    hand = Hand(tmp_path / "hand")
    yield str(tmp_path / "hand")
    hand.close()


def wait_until(is_so, seconds=10):
    deadline = time.perf_counter() + seconds
    while not is_so() and time.perf_counter() < deadline:
        time.sleep(0.02)
    assert is_so()


def test_our_driver_moves_them(port):
    bus = buses.build(buses.config("feetech")(port=port), MOTORS)
    bus.open()
    bus.sync_write("Goal_Position", {"thumb": 600, "index": 400})
    wait_until(lambda: list(bus.sync_read("Present_Position").values()) == pytest.approx([600, 400], abs=3))
    assert bus.sync_read("Torque_Enable") == {"thumb": 1, "index": 1}
    bus.close()


def test_the_vendors_sdk_moves_them(port):
    sdk = pytest.importorskip("scservo_sdk", reason="feetech-servo-sdk is not installed")
    line, vendor = sdk.PortHandler(port), sdk.PacketHandler(1)
    assert line.openPort()
    assert line.setBaudRate(1_000_000)
    assert [vendor.ping(line, motor_id)[:2] for motor_id in (1, 2)] == [(1284, sdk.COMM_SUCCESS)] * 2
    assert vendor.ping(line, 3)[1] == sdk.COMM_RX_TIMEOUT
    write = sdk.GroupSyncWrite(line, vendor, 42, 2)
    for motor_id, goal in ((1, 700), (2, 300)):
        assert write.addParam(motor_id, goal.to_bytes(2, "big"))
    assert write.txPacket() == sdk.COMM_SUCCESS
    wait_until(lambda: vendor.read2ByteTxRx(line, 1, 56)[0] == pytest.approx(700, abs=3))
    wait_until(lambda: vendor.read2ByteTxRx(line, 2, 56)[0] == pytest.approx(300, abs=3))
    read = sdk.GroupSyncRead(line, vendor, 56, 2)
    assert read.addParam(1)
    assert read.txRxPacket() == sdk.COMM_RX_TIMEOUT, "its series knows no such thing"
    line.closePort()
