"""ROBOTIS' own Python SDK sends the bytes that we send, and is content with the simulated servos' answers."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from etude.hardware.buses.dynamixel.dialect import DynamixelDialect
from etude.hardware.buses.dynamixel.packet import Instruction, Packet, crc16, encode
from etude.hardware.buses.dynamixel.registers import X_SERIES
from etude.sim.servos.dynamixel.chain import DynamixelChain
from etude.sim.servos.dynamixel.servo import XSeries

sdk = pytest.importorskip("dynamixel_sdk", reason="dynamixel-sdk is not installed")

ids = st.integers(0, 252)
registers = st.sampled_from(list(X_SERIES.values()))
POSITION = X_SERIES["Present_Position"]


@pytest.fixture
def port(vendor_port):
    return vendor_port(DynamixelChain([XSeries(number) for number in (1, 2, 3)]).exchange)


@pytest.fixture
def vendor():
    return sdk.PacketHandler(2.0)


@given(registers, ids, st.data())
def test_every_register_is_written_by_the_same_bytes(vendor_port, item, motor_id, data):
    value = data.draw(st.integers(*item.bounds))
    assume(b"\xff\xff\xfd" not in item.encode(value))  # which the SDK forgets to stuff
    port, vendor = vendor_port(), sdk.PacketHandler(2.0)
    written = {1: vendor.write1ByteTxOnly, 2: vendor.write2ByteTxOnly, 4: vendor.write4ByteTxOnly}[item.size]
    written(port, motor_id, item.address, int.from_bytes(item.encode(value), "little"))
    assert port.sent == [DynamixelDialect().write(motor_id, item, value).request]


@given(st.lists(st.sampled_from([b"\xff", b"\xff\xff\xfd", b"\xfd", b"\x00"])).map(b"".join))
def test_what_looks_like_a_header_is_stuffed_alike(params):
    """The SDK can stuff, though it then sends the packet as it was before."""
    ours, vendor = encode(Packet(1, Instruction.WRITE, params)), sdk.PacketHandler(2.0)
    plain = list(encode(Packet(1, Instruction.WRITE, params), is_stuffed=False))
    assert bytes(vendor.addStuffing(plain))[:-2] == ours[:-2]


@given(registers, ids)
def test_every_register_is_read_by_the_same_bytes(vendor_port, item, motor_id):
    port = vendor_port()
    sdk.PacketHandler(2.0).readTx(port, motor_id, item.address, item.size)
    assert port.sent == [DynamixelDialect().read(motor_id, item).request]


@given(registers, st.lists(ids, min_size=1, max_size=12, unique=True), st.data())
def test_many_are_read_and_written_by_the_same_bytes(vendor_port, item, motor_ids, data):
    port, vendor, dialect = vendor_port(), sdk.PacketHandler(2.0), DynamixelDialect()
    read = sdk.GroupSyncRead(port, vendor, item.address, item.size)
    write = sdk.GroupSyncWrite(port, vendor, item.address, item.size)
    values = {motor_id: data.draw(st.integers(*item.bounds)) for motor_id in motor_ids}
    assume(b"\xff\xff\xfd" not in b"".join(map(item.encode, values.values())))
    for motor_id, value in values.items():
        assert read.addParam(motor_id)
        assert write.addParam(motor_id, item.encode(value))
    for send in (read.fastSyncReadTxPacket, read.txPacket, write.txPacket):
        port.is_using = False
        send()
    fast, plain = (dialect.sync_read(tuple(motor_ids), item, attempt).request for attempt in (0, 1))
    assert port.sent == [fast, plain, dialect.sync_write(item, values)]


@given(st.binary(max_size=60))
def test_the_sum_is_the_same(data):
    assert crc16(data) == sdk.PacketHandler(2.0).updateCRC(0, list(data), len(data))


def test_it_reads_the_simulated_answers(port, vendor):
    assert vendor.ping(port, 2) == (1200, sdk.COMM_SUCCESS, 0)
    assert vendor.read4ByteTxRx(port, 3, POSITION.address) == (2048, sdk.COMM_SUCCESS, 0)
    assert vendor.write1ByteTxRx(port, 3, 65, 1) == (sdk.COMM_SUCCESS, 0)
    assert vendor.write1ByteTxRx(port, 3, 64, 1) == (sdk.COMM_SUCCESS, 0)
    assert vendor.write1ByteTxRx(port, 3, 11, 4) == (sdk.COMM_SUCCESS, 7)  # locked while the torque is on


@pytest.mark.parametrize("way", ["txRxPacket", "fastSyncRead"])
def test_it_reads_many_simulated_answers(port, vendor, way):
    read = sdk.GroupSyncRead(port, vendor, POSITION.address, POSITION.size)
    for motor_id in (1, 2, 3):
        assert read.addParam(motor_id)
    assert getattr(read, way)() == sdk.COMM_SUCCESS
    assert [read.getData(motor_id, POSITION.address, 4) for motor_id in (1, 2, 3)] == [2048] * 3
