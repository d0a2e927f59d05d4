"""The Dynamixel as a host sees it: bytes in, bytes out."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etude.hardware.buses.dynamixel.packet import BROADCAST, Instruction, Packet, encode, parse
from etude.sim.servos.dynamixel.chain import DynamixelChain
from etude.sim.servos.dynamixel.models import XL330_M077, XL430_W250
from etude.sim.servos.dynamixel.servo import XSeries

from .conftest import DT, TICK_RAD, get, move, put, send, words


class TestManual:
    """Bytes of the e-Manual, or computed with the vendor's SDK."""

    def test_ping(self, chain):
        asked = bytes.fromhex("FF FF FD 00 01 03 00 01 19 4E")
        (reply,), _ = parse(chain.exchange(asked))
        assert reply.params == bytes.fromhex("00 B0 04 34")  # no error, model 1200, firmware 52

    def test_a_position_of_166_ticks(self, chain, servo):
        move(servo, (166 - 2048) * TICK_RAD)
        answer = chain.exchange(bytes.fromhex("FF FF FD 00 01 07 00 02 84 00 04 00 1D 15"))
        assert answer == bytes.fromhex("FF FF FD 00 01 08 00 55 00 A6 00 00 00 8C C0")

    def test_every_model_has_its_number(self):
        chain = DynamixelChain([XSeries(1, model=XL330_M077), XSeries(2), XSeries(3, model=XL430_W250)])
        assert [get(chain, "Model_Number", to) for to in (1, 2, 3)] == [1190, 1200, 1060]


class TestWire:
    def test_all_answer_a_broadcast_ping(self, chain):
        assert [reply.id for reply in send(chain, Instruction.PING, to=BROADCAST)] == [1, 2]

    def test_unknown_and_silent_servos_do_not(self, chain, servo):
        assert send(chain, Instruction.PING, to=3) == []
        servo.is_silent = True
        assert [reply.id for reply in send(chain, Instruction.PING, to=BROADCAST)] == [2]

    def test_packets_may_come_in_pieces(self, chain):
        wire = encode(Packet(1, Instruction.PING))
        assert [chain.exchange(wire[at : at + 1]) for at in range(len(wire) - 1)] == [b""] * (len(wire) - 1)
        assert chain.exchange(wire[-1:])

    def test_a_damaged_packet_is_complained_of_by_its_servo(self, chain):
        wire = bytearray(encode(Packet(1, Instruction.PING)))
        wire[-1] ^= 1
        (reply,), _ = parse(chain.exchange(bytes(wire)))
        assert (reply.id, reply.params) == (1, b"\x03")

    def test_the_return_level_decides_who_is_answered(self, chain):
        put(chain, "Status_Return_Level", 1)
        assert send(chain, Instruction.WRITE, words(65) + b"\1") == []
        assert get(chain, "LED") == 1
        send(chain, Instruction.WRITE, words(68) + b"\0")
        assert send(chain, Instruction.READ, words(65, 1)) == []
        assert len(send(chain, Instruction.PING)) == 1

    def test_sync_read_answers_in_the_order_asked(self, chain):
        replies = send(chain, Instruction.SYNC_READ, words(132, 4) + bytes((2, 1)), BROADCAST)
        assert [(reply.id, len(reply.params)) for reply in replies] == [(2, 5), (1, 5)]

    def test_a_fast_read_is_one_packet_with_a_part_of_each(self, chain, servo):
        move(servo, 100 * TICK_RAD)
        (reply,) = send(chain, Instruction.FAST_SYNC_READ, words(132, 4) + bytes((1, 2)), BROADCAST)
        first, second = reply.params[:6], reply.params[8:14]
        assert (first[1], int.from_bytes(first[2:], "little")) == (1, 2148)
        assert (second[1], int.from_bytes(second[2:], "little")) == (2, 2048)

    def test_a_fast_read_breaks_off_where_one_is_missing(self, chain):
        assert send_raw(chain, Instruction.FAST_SYNC_READ, words(132, 4) + bytes((1, 3)))[0] == []

    def test_bulk_reads_ask_each_for_something_else(self, chain):
        asked = b"\1" + words(132, 4) + b"\2" + words(146, 1)
        replies = send(chain, Instruction.BULK_READ, asked, BROADCAST)
        assert [(reply.id, len(reply.params)) for reply in replies] == [(1, 5), (2, 2)]

    def test_sync_and_bulk_writes_are_not_acknowledged(self, chain):
        assert send(chain, Instruction.SYNC_WRITE, words(65, 1) + bytes((1, 1, 2, 1)), BROADCAST) == []
        assert [get(chain, "LED", to) for to in (1, 2)] == [1, 1]
        bulk = b"\1" + words(65, 1) + b"\0" + b"\2" + words(108, 4) + (50).to_bytes(4, "little")
        assert send(chain, Instruction.BULK_WRITE, bulk, BROADCAST) == []
        assert (get(chain, "LED"), get(chain, "Profile_Acceleration", to=2)) == (0, 50)

    def test_a_registered_write_waits_for_its_action(self, chain):
        send(chain, Instruction.REG_WRITE, words(65) + b"\1")
        assert (get(chain, "LED"), get(chain, "Registered_Instruction")) == (0, 1)
        assert send(chain, Instruction.ACTION, to=BROADCAST) == []
        assert (get(chain, "LED"), get(chain, "Registered_Instruction")) == (1, 0)

    def test_a_second_id_is_obeyed_in_silence(self, chain):
        put(chain, "Secondary_ID", 9)
        assert send(chain, Instruction.WRITE, words(65) + b"\1", to=9) == []
        assert get(chain, "LED") == 1

    def test_a_new_id_counts_at_once_but_the_old_one_acknowledges(self, chain):
        (reply,) = send(chain, Instruction.WRITE, words(7) + b"\7")
        assert reply.id == 1
        assert len(send(chain, Instruction.PING, to=7)) == 1

    @example([Packet(1, Instruction.FAST_SYNC_READ, b"\0\0\0V\0\0\0")])
    @given(st.lists(st.builds(Packet, st.integers(1, 3), st.integers(0, 255), st.binary(max_size=12)), max_size=8))
    def test_no_packet_upsets_the_chain(self, packets):
        chain = DynamixelChain([XSeries(1), XSeries(2, model=XL430_W250)])
        parse(chain.exchange(b"".join(map(encode, packets))))
        for servo in chain.servos:
            assert math.isfinite(servo.torque(0.1, 0.2, DT))


def send_raw(chain, code, params):
    return parse(chain.exchange(encode(Packet(BROADCAST, code, params))))


class TestRefusals:
    def test_kept_registers_are_locked_while_the_torque_is_on(self, chain):
        put(chain, "Torque_Enable", 1)
        assert put(chain, "Homing_Offset", 5) == 7
        put(chain, "Torque_Enable", 0)
        assert put(chain, "Homing_Offset", 5) == 0

    @pytest.mark.parametrize(
        ("name", "value", "error"),
        [
            ("Model_Number", 5, 7),
            ("ID", 253, 4),
            ("Operating_Mode", 2, 4),
            ("Goal_Position", 4096, 6),
            ("Goal_Velocity", -446, 6),
            ("Goal_PWM", 886, 6),
        ],
    )
    def test_what_may_not_be_written_is_not(self, chain, name, value, error):
        before = get(chain, name)
        assert put(chain, name, value) == error
        assert get(chain, name) == before

    def test_an_xl430_has_no_current_modes(self, chain):
        assert (put(chain, "Operating_Mode", 5, to=1), put(chain, "Operating_Mode", 5, to=2)) == (0, 4)

    def test_instructions_that_it_does_not_know(self, chain):
        assert [reply.params[0] for reply in send(chain, 0x77)] == [2]

    def test_too_few_parameters(self, chain):
        assert [reply.params[0] for reply in send(chain, Instruction.READ, b"\x84")] == [5]


class TestRestart:
    def test_what_is_kept_and_what_is_forgotten(self, chain):
        put(chain, "Homing_Offset", -77)
        put(chain, "Position_P_Gain", 900)
        put(chain, "Torque_Enable", 1)
        send(chain, Instruction.REBOOT)
        assert [get(chain, name) for name in ("Homing_Offset", "Position_P_Gain", "Torque_Enable")] == [-77, 400, 0]

    @pytest.mark.parametrize(("how", "servo_id", "rate"), [(0xFF, 1, 1), (0x01, 6, 1), (0x02, 6, 3)])
    def test_factory_reset(self, chain, how, servo_id, rate):
        put(chain, "Baud_Rate", 3)
        put(chain, "Return_Delay_Time", 0)
        put(chain, "ID", 6)
        assert len(send(chain, Instruction.FACTORY_RESET, bytes((how,)), to=6)) == 1
        assert get(chain, "Baud_Rate", to=servo_id) == rate
        assert get(chain, "Return_Delay_Time", to=servo_id) == 250

    def test_turns_are_counted_until_it_restarts(self, chain, servo):
        put(chain, "Operating_Mode", 4)
        move(servo, 2 * math.pi)
        assert get(chain, "Present_Position") == 2048 + 4096
        send(chain, Instruction.REBOOT)
        assert get(chain, "Present_Position") == 2048

    def test_turns_can_be_cleared(self, chain, servo):
        put(chain, "Operating_Mode", 4)
        move(servo, 2 * math.pi)
        send(chain, Instruction.CLEAR, bytes((0x01, 0x44, 0x58, 0x4C, 0x22)))
        assert get(chain, "Present_Position") == 2048
