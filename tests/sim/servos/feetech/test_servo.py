"""The servo as a host sees it: bytes in, bytes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.hardware.buses.feetech.packet import BROADCAST, Instruction, Packet, encode, parse
from etude.hardware.buses.feetech.registers import register
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215

TICK_RAD = 2 * 3.141592653589793 / 4096


@pytest.fixture
def servo():
    return Sts3215(1)


@pytest.fixture
def chain(servo):
    return ServoChain([servo, Sts3215(2)])


def ask(chain, text):
    return chain.exchange(bytes.fromhex(text)).hex(" ").upper()


def send(chain, code, *params, to=1):
    packets, rest = parse(chain.exchange(encode(Packet(to, code, bytes(params)))))
    assert not rest
    return packets


def put(chain, name, value, to=1):
    item = register(name)
    return send(chain, Instruction.WRITE, item.address, *item.encode(value), to=to)


def get(chain, name, to=1):
    item = register(name)
    (reply,) = send(chain, Instruction.READ, item.address, item.size, to=to)
    return item.decode(reply.params)


class TestVendorExamples:
    def test_ping(self, chain):
        assert ask(chain, "FF FF 01 02 01 FB") == "FF FF 01 02 00 FC"

    def test_read_position_1304(self, chain, servo):
        servo.torque((1304 - 2048) * TICK_RAD, 0.0, 0.002)
        assert ask(chain, "FF FF 01 04 02 38 02 BE") == "FF FF 01 04 00 18 05 DD"

    def test_write_goal_and_speed(self, chain, servo):
        assert ask(chain, "FF FF 01 09 03 2A 00 08 00 00 E8 03 D5") == "FF FF 01 02 00 FC"
        assert (servo.memory.get("Goal_Position"), servo.memory.get("Goal_Velocity")) == (2048, 1000)

    def test_a_buffered_write_waits_for_its_action(self, chain, servo):
        assert ask(chain, "FF FF 01 09 04 2A 00 08 00 00 E8 03 D4") == "FF FF 01 02 00 FC"
        assert (servo.memory.get("Goal_Velocity"), get(chain, "Async_Write_Flag")) == (0, 1)
        assert ask(chain, "FF FF FE 02 05 FA") == ""
        assert (servo.memory.get("Goal_Velocity"), get(chain, "Async_Write_Flag")) == (1000, 0)

    def test_sync_read_answers_in_the_order_asked(self, chain):
        replies, rest = parse(chain.exchange(bytes.fromhex("FF FF FE 06 82 38 08 01 02 36")))
        assert [(reply.id, len(reply.params)) for reply in replies] == [(1, 8), (2, 8)]
        assert [reply.id for reply in send(chain, Instruction.SYNC_READ, 56, 2, 2, 1, to=BROADCAST)] == [2, 1]
        assert not rest

    def test_sync_write_of_four_servos_is_not_acknowledged(self):
        four = ServoChain([Sts3215(number) for number in (1, 2, 3, 4)])
        blocks = " ".join(f"0{number} 00 08 00 00 E8 03" for number in (1, 2, 3, 4))
        assert ask(four, f"FF FF FE 20 83 2A 06 {blocks} 58") == ""
        assert [servo.memory.get("Goal_Velocity") for servo in four.servos] == [1000] * 4

    def test_position_calibration(self, chain, servo):
        servo.torque(100 * TICK_RAD, 0.0, 0.002)
        assert ask(chain, "FF FF 01 02 0B F1") == "FF FF 01 02 00 FC"
        servo.torque(100 * TICK_RAD, 0.0, 0.002)
        assert get(chain, "Present_Position") == 2048
        assert ask(chain, "FF FF 01 04 0B 00 04 EB") == "FF FF 01 02 00 FC"
        servo.torque(100 * TICK_RAD, 0.0, 0.002)
        assert get(chain, "Present_Position") == 1024

    def test_turn_reset_is_acknowledged(self, chain):
        assert ask(chain, "FF FF 01 02 0A F2") == "FF FF 01 02 00 FC"

    def test_broadcast_id_write_is_obeyed_in_silence(self, servo):
        servo.memory.set("ID", 9)
        assert ask(ServoChain([servo]), "FF FF FE 04 03 05 01 F4") == ""
        assert servo.id == 1


class TestWire:
    def test_a_broadcast_ping_is_answered_by_all(self, chain):
        assert [reply.id for reply in send(chain, Instruction.PING, to=BROADCAST)] == [1, 2]

    def test_unknown_and_unplugged_servos_are_silent(self, chain, servo):
        assert send(chain, Instruction.PING, to=3) == []
        servo.is_silent = True
        assert send(chain, Instruction.PING) == []
        assert [reply.id for reply in send(chain, Instruction.SYNC_READ, 56, 2, 1, 2, to=BROADCAST)] == [2]

    def test_packets_may_come_in_pieces(self, chain):
        wire = bytes.fromhex("FF FF 01 02 01 FB")
        assert [chain.exchange(wire[place : place + 1]) for place in range(5)] == [b""] * 5
        assert chain.exchange(wire[5:]) == bytes.fromhex("FF FF 01 02 00 FC")

    def test_a_wrong_checksum_is_not_answered(self, chain):
        assert ask(chain, "FF FF 01 02 01 FA") == ""
        assert ask(chain, "FF FF 01 02 01 FB") != ""

    def test_a_new_id_counts_at_once_but_the_old_one_acknowledges(self, chain):
        assert [reply.id for reply in put(chain, "ID", 7)] == [1]
        assert send(chain, Instruction.PING) == []
        assert len(send(chain, Instruction.PING, to=7)) == 1

    def test_response_level_0_answers_only_ping_and_read(self, chain):
        put(chain, "Response_Status_Level", 0)
        assert put(chain, "P_Coefficient", 16) == []
        assert get(chain, "P_Coefficient") == 16
        assert len(send(chain, Instruction.PING)) == 1

    @pytest.mark.parametrize("code", [Instruction.READ, Instruction.WRITE, Instruction.SYNC_READ, 0x77])
    def test_nonsense_is_not_answered(self, chain, code):
        assert send(chain, code, to=1) == []

    @given(st.lists(st.builds(Packet, st.integers(1, 3), st.integers(0, 255), st.binary(max_size=8)), max_size=8))
    def test_no_packet_upsets_the_chain(self, packets):
        chain = ServoChain([Sts3215(1), Sts3215(2)])
        replies, rest = parse(chain.exchange(b"".join(map(encode, packets))))
        assert not rest
        assert all(reply.code < 128 for reply in replies)
        for servo in chain.servos:
            servo.torque(0.1, 0.2, 0.002)


class TestMemory:
    def test_read_only_registers_stay(self, chain):
        put(chain, "Model_Number", 1)
        assert get(chain, "Model_Number") == 777

    def test_a_new_servo_is_as_the_factory_made_it(self, chain):
        names = ("Firmware_Major_Version", "Firmware_Minor_Version", "P_Coefficient", "Lock", "Torque_Enable")
        assert [get(chain, name) for name in names] == [3, 10, 32, 1, 0]

    def test_what_is_written_under_lock_is_lost_with_the_power(self, chain, servo):
        put(chain, "Homing_Offset", -100)
        assert get(chain, "Homing_Offset") == -100
        servo.power_cycle()
        assert get(chain, "Homing_Offset") == 0

    def test_what_is_written_without_lock_stays(self, chain, servo):
        put(chain, "Lock", 0)
        put(chain, "Homing_Offset", -100)
        put(chain, "Torque_Enable", 1)
        servo.power_cycle()
        assert [get(chain, name) for name in ("Homing_Offset", "Torque_Enable", "Lock")] == [-100, 0, 1]

    def test_the_torque_limit_is_copied_at_power_on(self, chain, servo):
        put(chain, "Lock", 0)
        put(chain, "Max_Torque_Limit", 500)
        assert get(chain, "Torque_Limit") == 1000
        send(chain, Instruction.RESTART)
        assert get(chain, "Torque_Limit") == 500

    def test_recovery_brings_the_factory_back_but_not_the_id(self, chain):
        put(chain, "Lock", 0)
        put(chain, "ID", 5)
        put(chain, "P_Coefficient", 99, to=5)
        assert len(send(chain, Instruction.RECOVERY, to=5)) == 1
        assert (get(chain, "P_Coefficient", to=5), get(chain, "ID", to=5)) == (32, 5)

    def test_recovery_brings_a_backup_back(self, chain):
        put(chain, "Lock", 0)
        put(chain, "P_Coefficient", 99)
        send(chain, Instruction.BACKUP)
        put(chain, "P_Coefficient", 11)
        send(chain, Instruction.RECOVERY)
        assert get(chain, "P_Coefficient") == 99

    def test_under_lock_recovery_does_nothing(self, chain):
        put(chain, "P_Coefficient", 99)
        assert len(send(chain, Instruction.RECOVERY)) == 1
        assert get(chain, "P_Coefficient") == 99

    def test_a_calibrated_servo_holds_its_range_through_a_power_cycle(self):
        servo = Sts3215(1, mounting_offset=60, center_rad=0.5, range_rad=(0.5 - 100 * TICK_RAD, 0.5 + 200 * TICK_RAD))
        servo.power_cycle()
        names = ("Homing_Offset", "Min_Position_Limit", "Max_Position_Limit")
        assert [servo.memory.get(name) for name in names] == [60, 1948, 2248]
        servo.torque(0.5, 0.0, 0.002)
        assert servo.drive.position == 2048


class TestGoals:
    def test_a_goal_switches_the_torque_on(self, chain):
        put(chain, "Goal_Position", 2100)
        assert get(chain, "Torque_Enable") == 1

    def test_unless_the_firmware_does_not(self):
        chain = ServoChain([Sts3215(1, goal_enables_torque=False)])
        put(chain, "Goal_Position", 2100)
        assert get(chain, "Torque_Enable") == 0

    def test_switching_on_holds_where_the_joint_is(self, chain, servo):
        servo.torque(0.3, 0.0, 0.002)
        put(chain, "Torque_Enable", 1)
        assert servo.torque(0.3, 0.0, 0.002) == 0.0

    def test_goals_are_kept_within_the_limits(self, chain, servo):
        servo.torque(0.0, 0.0, 0.002)
        put(chain, "Max_Position_Limit", 2068)
        put(chain, "Goal_Position", 4000)
        for _ in range(100):
            servo.torque(20 * TICK_RAD, 0.0, 0.002)
        assert servo.torque(20 * TICK_RAD, 0.0, 0.002) == 0.0

    def test_writing_128_makes_this_the_middle(self, chain, servo):
        servo.torque(0.7, 0.0, 0.002)
        put(chain, "Torque_Enable", 128)
        servo.torque(0.7, 0.0, 0.002)
        assert (get(chain, "Present_Position"), get(chain, "Torque_Enable")) == (2048, 0)


class TestFaults:
    def test_a_weak_supply_shows_in_every_reply(self, chain, servo):
        servo.drive.supply_v = 3.0
        assert [reply.code for reply in send(chain, Instruction.PING)] == [1]
        assert (get(chain, "Status"), get(chain, "Present_Voltage")) == (1, 30)
