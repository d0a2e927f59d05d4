"""What goes wrong on a wire, and what the servos and the host make of it."""

import pytest

from etude.core.clock import SimClock
from etude.core.errors import DeviceError
from etude.hardware import lines
from etude.hardware.buses.feetech.packet import BROADCAST, Instruction, Packet, encode, parse
from etude.hardware.buses.feetech.registers import register
from etude.sim.faults import KINDS
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215
from etude.sim.wire import Wire

READ_BOTH = encode(Packet(BROADCAST, Instruction.SYNC_READ, bytes((56, 2, 1, 2))))


@pytest.fixture
def clock():
    return SimClock()


@pytest.fixture
def wire(clock):
    return Wire(ServoChain([Sts3215(1), Sts3215(2)]), clock.now)


def answering(wire):
    """Ids of the motors whose answers arrive whole."""
    packets, _ = parse(wire.exchange(READ_BOTH))
    return [packet.id for packet in packets]


def put(wire, motor_id, name, value):
    item = register(name)
    return wire.exchange(encode(Packet(motor_id, Instruction.WRITE, bytes((item.address,)) + item.encode(value))))


def test_nothing_goes_wrong_by_itself(wire):
    assert answering(wire) == [1, 2]


def test_silence_lasts_its_time_and_hits_one_motor(wire, clock):
    wire.faults.silence(1, for_s=0.5)
    assert answering(wire) == [2]
    clock.sleep_until(0.49)
    assert answering(wire) == [2]
    clock.sleep_until(0.5)
    assert answering(wire) == [1, 2]


def test_a_wrong_checksum_comes_from_the_motor_meant(wire):
    wire.faults.wrong_checksum(2)
    assert answering(wire) == [1]
    assert len(wire.exchange(READ_BOTH)) == 16
    wire.faults.clear()
    assert answering(wire) == [1, 2]


def test_noise_hits_its_share_and_follows_its_seed(wire):
    def heard(seed):
        wire.faults.seed(seed)
        return [len(answering(wire)) for _ in range(300)]

    wire.faults.noise(0.2)
    first = heard(1)
    assert heard(1) == first != heard(2)
    # Each packet of three is damaged with 0.2: two answers are whole with 0.8^3 = 0.51.
    assert first.count(2) / 300 == pytest.approx(0.51, abs=0.1)


def test_an_overloaded_motor_says_so_and_gives_way(wire):
    put(wire, 1, "Goal_Position", 4000)
    for _ in range(200):
        wire.servos[0].torque(0.0, 0.0, 0.002)
    wire.faults.overload(1)
    (reply,), _ = parse(put(wire, 1, "Acceleration", 0))
    assert reply.code == 32
    # A fifth of the duty: 0.2 x 7.4 V x kt / R.
    assert wire.servos[0].torque(0.0, 0.0, 0.002) == pytest.approx(0.670, abs=1e-3)


def test_a_weak_supply_is_reported_by_all(wire):
    wire.faults.brown_out(3.8)
    packets, _ = parse(wire.exchange(encode(Packet(BROADCAST, Instruction.PING))))
    assert [packet.code for packet in packets] == [1, 1]


def test_a_brown_out_restarts_the_servos_without_torque(wire, clock):
    put(wire, 1, "P_Coefficient", 16)
    put(wire, 1, "Goal_Position", 3000)
    assert wire.servos[0].resists
    wire.faults.brown_out(3.0, for_s=0.1)
    assert answering(wire) == []
    assert not wire.servos[0].resists
    clock.sleep_until(0.1)
    assert answering(wire) == [1, 2]
    assert not wire.servos[0].resists
    assert wire.servos[0].memory.get("P_Coefficient") == 32  # written under Lock, so lost
    assert wire.servos[0].drive.supply_v == 7.4


def test_an_unplugged_cable_raises_and_the_servos_hold(wire, clock):
    put(wire, 1, "Torque_Enable", 1)
    wire.faults.unplug(for_s=2.0)
    with pytest.raises(DeviceError, match="unplugged"):
        wire.exchange(READ_BOTH)
    clock.sleep_until(2.0)
    assert answering(wire) == [1, 2]
    assert wire.servos[0].resists


def test_a_strike_is_one_of_the_kinds_allowed(wire):
    told = {wire.faults.strike(("silence", "unplug")).split()[0] for _ in range(20)}
    assert told == {"silence", "unplug"}
    assert {wire.faults.strike().split()[0] for _ in range(100)} == set(KINDS)


class TestOnASimulatedLine:
    @pytest.fixture
    def line(self):
        line = lines.build(lines.config("sim")()).open()
        yield line
        line.close()

    def test_slow_answers_take_the_worlds_time(self, line):
        clock = line.scene.clock
        line.arm.wire.faults.slow(0.02)
        line.write(READ_BOTH)
        before = clock.now()
        assert line.read(16, 0.01) == b""
        assert clock.now() == before + 0.01
        assert len(line.read(16, 0.05)) == 16
        assert clock.now() == pytest.approx(before + 0.02)

    def test_what_comes_too_late_is_not_taken_for_the_next_answer_once_discarded(self, line):
        line.arm.wire.faults.slow(0.02)
        line.write(READ_BOTH)
        line.scene.clock.sleep_until(line.scene.clock.now() + 0.03)
        line.discard()
        assert line.read(16, 0.05) == b""

    def test_unplugged_it_raises_and_comes_back(self, line):
        line.arm.wire.faults.unplug(for_s=0.1)
        with pytest.raises(DeviceError, match="unplugged"):
            line.write(READ_BOTH)
        with pytest.raises(DeviceError, match="unplugged"):
            line.read(1, 0.0)
        with pytest.raises(DeviceError, match="unplugged"):
            line.open()
        line.scene.clock.sleep_until(line.scene.clock.now() + 0.2)
        with pytest.raises(DeviceError, match="Open it again"):
            line.write(READ_BOTH)
        line.close()
        line.open()
        line.write(READ_BOTH)
        assert len(line.read(16, 0.05)) == 16

    def test_a_brown_out_drops_the_arm_while_nobody_asks(self, line):
        world = line.scene
        start = world.arm.joints
        line.arm.wire.faults.brown_out(for_s=0.1)
        world.clock.sleep_until(world.clock.now() + 0.5)
        assert abs(world.arm.joints - start).max() > 0.1
        assert not any(servo.resists for servo in world.arm.servos)

    def test_at_another_rate_it_is_silent(self, line):
        line.set_baud_rate(115_200)
        line.write(READ_BOTH)
        assert line.read(16, 0.05) == b""
        line.set_baud_rate(1_000_000)
        line.write(READ_BOTH)
        assert len(line.read(16, 0.05)) == 16
