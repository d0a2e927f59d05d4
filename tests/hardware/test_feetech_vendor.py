"""Feetech's own Python SDK sends the bytes that we send, and is content with the simulated servos' answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.hardware.bus import Motor
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.buses.feetech.dialect import ScsDialect, StsDialect
from etude.hardware.buses.feetech.registers import SCS0009, STS3215
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215

sdk = pytest.importorskip("scservo_sdk", reason="feetech-servo-sdk is not installed")

MOTORS = {"one": Motor(id=1, model="sts3215"), "two": Motor(id=2, model="sts3215")}
GOAL, POSITION = (42, 2), (56, 2)
PROTOCOLS = st.sampled_from([(0, StsDialect(), STS3215), (1, ScsDialect(), SCS0009)])
ids = st.integers(0, 252)


@pytest.fixture
def port(vendor_port):
    servos = [Sts3215(1), Sts3215(2)]
    port = vendor_port(ServoChain(servos).exchange)
    port.servos = servos
    return port


@pytest.fixture
def vendor():
    return sdk.PacketHandler(0)


def some_value(data, item):
    return data.draw(st.integers(*item.bounds), label=item.name)


def raw(item, value):
    """The number that the SDK is to be given for it."""
    return int.from_bytes(item.encode(value), item.order)


@given(PROTOCOLS, ids, st.data())
def test_every_register_is_written_by_the_same_bytes(vendor_port, protocol, motor_id, data):
    number, dialect, table = protocol
    item = data.draw(st.sampled_from(list(table.values())))
    value = some_value(data, item)
    port, vendor = vendor_port(), sdk.PacketHandler(number)
    write = {1: vendor.write1ByteTxOnly, 2: vendor.write2ByteTxOnly}[item.size]
    write(port, motor_id, item.address, raw(item, value))
    assert port.sent == [dialect.write(motor_id, item, value).request]


@given(PROTOCOLS, ids, st.data())
def test_every_register_is_read_by_the_same_bytes(vendor_port, protocol, motor_id, data):
    number, dialect, table = protocol
    item = data.draw(st.sampled_from(list(table.values())))
    port = vendor_port()
    sdk.PacketHandler(number).readTx(port, motor_id, item.address, item.size)
    assert port.sent == [dialect.read(motor_id, item).request]


@given(st.sampled_from(list(STS3215.values())), st.lists(ids, min_size=1, max_size=12, unique=True), st.data())
def test_many_are_read_and_written_by_the_same_bytes(vendor_port, item, motor_ids, data):
    port, vendor, dialect = vendor_port(), sdk.PacketHandler(0), StsDialect()
    read = sdk.GroupSyncRead(port, vendor, item.address, item.size)
    write = sdk.GroupSyncWrite(port, vendor, item.address, item.size)
    values = {motor_id: some_value(data, item) for motor_id in motor_ids}
    for motor_id, value in values.items():
        assert read.addParam(motor_id)
        assert write.addParam(motor_id, item.encode(value))
    read.txPacket()
    port.is_using = False
    write.txPacket()
    assert port.sent == [dialect.sync_read(tuple(motor_ids), item, 0).request, dialect.sync_write(item, values)]


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
