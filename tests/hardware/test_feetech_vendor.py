# ruff: noqa: N802 - the names are those that the SDK calls
"""Feetech's own Python SDK sends the bytes that we send, and is content with the simulated servos' answers."""

import pytest

from etude.hardware.bus import Motor
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.sim.servos.feetech.servo import ServoChain, Sts3215

sdk = pytest.importorskip("scservo_sdk", reason="feetech-servo-sdk is not installed")

MOTORS = {"one": Motor(id=1, model="sts3215"), "two": Motor(id=2, model="sts3215")}
GOAL, POSITION = (42, 2), (56, 2)


class Port:
    """What the SDK wants of a port, with two servos at its end."""

    is_using = False

    def __init__(self):
        self.servos = [Sts3215(1), Sts3215(2)]
        self.chain, self.sent, self.pending = ServoChain(self.servos), [], b""

    def clearPort(self):
        self.pending = b""

    def writePort(self, data):
        self.sent.append(bytes(data))
        self.pending += self.chain.exchange(bytes(data))
        return len(data)

    def readPort(self, size):
        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def setPacketTimeout(self, length):
        pass

    def isPacketTimeout(self):
        return not self.pending


@pytest.fixture
def port():
    return Port()


@pytest.fixture
def vendor():
    return sdk.PacketHandler(0)


def test_single_reads_and_writes(port, vendor, bus, line):
    assert vendor.ping(port, 1)[0] == 777  # it reads the model number, too
    assert vendor.read2ByteTxRx(port, 2, 56) == (2048, sdk.COMM_SUCCESS, 0)
    assert vendor.write1ByteTxRx(port, 2, 41, 16) == (sdk.COMM_SUCCESS, 0)
    bus.ping("shoulder")
    bus.read("Present_Position", "elbow")
    bus.write("Acceleration", "elbow", 16)
    assert port.sent == line.sent


def test_many_at_once(port, vendor, line):
    read = sdk.GroupSyncRead(port, vendor, *POSITION)
    write = sdk.GroupSyncWrite(port, vendor, *GOAL)
    for motor_id, goal in ((1, 2000), (2, 2100)):
        assert read.addParam(motor_id)
        assert write.addParam(motor_id, goal.to_bytes(2, "little"))
    assert read.txRxPacket() == sdk.COMM_SUCCESS
    assert [read.getData(motor_id, *POSITION) for motor_id in (1, 2)] == [2048, 2048]
    assert write.txPacket() == sdk.COMM_SUCCESS
    bus = FeetechBus(line, MOTORS)
    bus.sync_read("Present_Position")
    bus.sync_write("Goal_Position", {"one": 2000, "two": 2100})
    assert port.sent == line.sent


def test_a_silent_servo_is_a_timeout(port, vendor):
    port.servos[0].is_silent = True
    assert vendor.ping(port, 1)[1] == sdk.COMM_RX_TIMEOUT
