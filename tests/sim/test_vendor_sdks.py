"""The vendors' own Python SDKs, over real pseudo-terminals, take the simulated arms for real ones."""

import sys
import time

import pytest

from etude.hardware import buses
from etude.hardware.robots.koch_follower.kind import KOCH_FOLLOWER
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pseudo-terminal takes no megabaud")

SETTLING_S = 0.5
"""Until an arm that was switched on has sagged as far as it will."""
MEGABAUD, IDS = 1_000_000, range(1, 7)


@pytest.fixture(scope="module")
def ports(serve):
    return serve(feetech={}, dynamixel={"body": "koch"})[0]


def opened(sdk, path, rate=MEGABAUD):
    port = sdk.PortHandler(path)
    assert port.openPort()
    assert port.setBaudRate(rate)
    return port


def ours(kind, path):
    """What our own bus reads of every motor at the same port."""
    bus = buses.build(buses.config(kind.bus)(port=path), kind.motors)
    bus.open()
    positions = list(bus.sync_read("Present_Position").values())
    bus.close()
    return positions


class TestFeetech:
    POSITION, ACCELERATION, TORQUE = 56, 41, 40

    @pytest.fixture
    def sdk(self):
        return pytest.importorskip("scservo_sdk", reason="feetech-servo-sdk is not installed")

    @pytest.fixture
    def vendor(self, sdk):
        return sdk.PacketHandler(0)

    @pytest.fixture
    def port(self, sdk, ports):
        port = opened(sdk, ports["feetech"])
        yield port
        port.closePort()

    def test_ping_finds_the_six_and_no_seventh(self, sdk, vendor, port):
        assert [vendor.ping(port, motor_id)[:2] for motor_id in IDS] == [(777, sdk.COMM_SUCCESS)] * 6
        assert vendor.ping(port, 7)[1] == sdk.COMM_RX_TIMEOUT

    def test_at_a_wrong_rate_nobody_answers(self, sdk, vendor, port):
        assert port.setBaudRate(115_200)
        assert vendor.ping(port, 1)[1] == sdk.COMM_RX_TIMEOUT
        assert port.setBaudRate(MEGABAUD)
        assert vendor.ping(port, 1)[1] == sdk.COMM_SUCCESS

    def test_a_servo_moved_to_another_rate_is_found_there(self, sdk, vendor, port):
        lock, rate = 55, 6
        vendor.write1ByteTxRx(port, 6, lock, 0)
        vendor.write1ByteTxRx(port, 6, rate, 4)
        assert vendor.ping(port, 6)[1] == sdk.COMM_RX_TIMEOUT
        assert port.setBaudRate(115_200)
        assert vendor.ping(port, 6)[:2] == (777, sdk.COMM_SUCCESS)
        assert vendor.write1ByteTxRx(port, 6, rate, 0)[0] == sdk.COMM_SUCCESS
        assert port.setBaudRate(MEGABAUD)
        assert vendor.write1ByteTxRx(port, 6, lock, 1)[0] == sdk.COMM_SUCCESS

    def test_reads_and_writes(self, sdk, vendor, port):
        assert vendor.write1ByteTxRx(port, 2, self.ACCELERATION, 33) == (sdk.COMM_SUCCESS, 0)
        assert vendor.read1ByteTxRx(port, 2, self.ACCELERATION) == (33, sdk.COMM_SUCCESS, 0)

    def test_many_at_once(self, sdk, vendor, port, ports):
        write = sdk.GroupSyncWrite(port, vendor, self.TORQUE, 1)
        read = sdk.GroupSyncRead(port, vendor, self.POSITION, 2)
        for motor_id in IDS:
            assert write.addParam(motor_id, bytes((1,)))
            assert read.addParam(motor_id)
        assert write.txPacket() == sdk.COMM_SUCCESS
        assert vendor.read1ByteTxRx(port, 5, self.TORQUE)[0] == 1
        time.sleep(SETTLING_S)
        assert read.txRxPacket() == sdk.COMM_SUCCESS
        theirs = [read.getData(motor_id, self.POSITION, 2) for motor_id in IDS]
        port.closePort()
        assert theirs == pytest.approx(ours(SO101_FOLLOWER, ports["feetech"]), abs=8)


class TestDynamixel:
    POSITION, GAIN, TORQUE, OPERATING_MODE = 132, 84, 64, 11

    @pytest.fixture
    def sdk(self):
        return pytest.importorskip("dynamixel_sdk", reason="dynamixel-sdk is not installed")

    @pytest.fixture
    def vendor(self, sdk):
        return sdk.PacketHandler(2.0)

    @pytest.fixture
    def port(self, sdk, ports):
        port = opened(sdk, ports["dynamixel"])
        yield port
        port.closePort()

    def test_a_broadcast_ping_finds_the_six(self, sdk, vendor, port):
        found, result = vendor.broadcastPing(port)
        assert result == sdk.COMM_SUCCESS
        assert {motor_id: model for motor_id, (model, _) in found.items()} == dict.fromkeys(
            (1, 2), 1060
        ) | dict.fromkeys((3, 4, 5, 6), 1200)

    def test_at_a_wrong_rate_nobody_answers(self, sdk, vendor, port):
        assert port.setBaudRate(57_600)
        assert vendor.ping(port, 1)[1] == sdk.COMM_RX_TIMEOUT
        assert port.setBaudRate(MEGABAUD)
        assert vendor.ping(port, 1) == (1060, sdk.COMM_SUCCESS, 0)

    def test_reads_writes_and_refusals(self, sdk, vendor, port):
        assert vendor.write2ByteTxRx(port, 3, self.GAIN, 1500) == (sdk.COMM_SUCCESS, 0)
        assert vendor.read2ByteTxRx(port, 3, self.GAIN) == (1500, sdk.COMM_SUCCESS, 0)
        assert vendor.write1ByteTxRx(port, 3, self.TORQUE, 1) == (sdk.COMM_SUCCESS, 0)
        assert vendor.write1ByteTxRx(port, 3, self.OPERATING_MODE, 3) == (sdk.COMM_SUCCESS, 7)
        assert vendor.write1ByteTxRx(port, 3, self.TORQUE, 0) == (sdk.COMM_SUCCESS, 0)

    def test_a_restart_and_a_registered_write(self, sdk, vendor, port):
        assert vendor.regWriteTxRx(port, 4, self.GAIN, 2, [0x2C, 0x01]) == (sdk.COMM_SUCCESS, 0)
        vendor.action(port, sdk.BROADCAST_ID)
        assert vendor.read2ByteTxRx(port, 4, self.GAIN)[0] == 300
        assert vendor.reboot(port, 4) == (sdk.COMM_SUCCESS, 0)
        assert vendor.read2ByteTxRx(port, 4, self.GAIN)[0] == 400

    @pytest.mark.parametrize("is_fast", [False, True])
    def test_many_at_once(self, sdk, vendor, port, ports, is_fast):
        write = sdk.GroupSyncWrite(port, vendor, self.TORQUE, 1)
        read = sdk.GroupSyncRead(port, vendor, self.POSITION, 4)
        for motor_id in IDS:
            assert write.addParam(motor_id, bytes((1,)))
            assert read.addParam(motor_id)
        assert write.txPacket() == sdk.COMM_SUCCESS
        time.sleep(SETTLING_S)
        assert (read.fastSyncRead if is_fast else read.txRxPacket)() == sdk.COMM_SUCCESS
        theirs = [read.getData(motor_id, self.POSITION, 4) for motor_id in IDS]
        port.closePort()
        assert theirs == pytest.approx(ours(KOCH_FOLLOWER, ports["dynamixel"]), abs=8)

    def test_bulk_reads(self, sdk, vendor, port):
        read = sdk.GroupBulkRead(port, vendor)
        assert read.addParam(1, self.POSITION, 4)
        assert read.addParam(5, 146, 1)
        assert read.txRxPacket() == sdk.COMM_SUCCESS
        assert read.getData(5, 146, 1) == 25
