"""One question and its answers, on a line where bytes take time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.hardware.buses.dynamixel.dialect import DynamixelDialect
from etude.hardware.buses.dynamixel.packet import Instruction
from etude.hardware.buses.dynamixel.packet import Packet as DynamixelPacket
from etude.hardware.buses.dynamixel.packet import encode as encode_dynamixel
from etude.hardware.buses.dynamixel.registers import X_SERIES
from etude.hardware.buses.exchange import LONGEST_S, Exchange, Turnaround, wire_seconds
from etude.hardware.buses.feetech.dialect import StsDialect
from etude.hardware.buses.feetech.packet import Packet, encode
from etude.hardware.buses.feetech.registers import STS3215

POSITION, SPEED = STS3215["Present_Position"], STS3215["Present_Velocity"]


@pytest.fixture(scope="module")
def exchange_with(slow_line):
    """Make an exchange with what answers at the other end."""

    def make(answer, delay_s=0.0, dialect=None):
        line = slow_line(answer, delay_s)
        return line, Exchange(line, dialect or StsDialect(), line.clock, 1_000_000)

    return make


def positions(request):
    """Answer a sync read of two bytes with 100 times the id."""
    return b"".join(encode(Packet(one, 0, POSITION.encode(100 * one))) for one in request[7:-1])


def ask_all(exchange, *ids, is_urgent=True):
    return exchange.ask(StsDialect().sync_read(ids, POSITION, 0)._replace(is_urgent=is_urgent))


def test_answers_come_by_id(exchange_with):
    _, exchange = exchange_with(positions)
    assert {key: POSITION.decode(reply.data) for key, reply in ask_all(exchange, 1, 2).replies.items()} == {
        1: 100,
        2: 200,
    }


def test_a_tick_over_the_wire_costs_what_the_protocol_says(exchange_with):
    _, exchange = exchange_with(positions)
    ask_all(exchange, *range(1, 7))
    exchange.tell(StsDialect().sync_write(STS3215["Goal_Position"], dict.fromkeys(range(1, 7), 2048)))
    # Sync read: 8 bytes and an id each, answered by 8 bytes each; sync write: 8 bytes, and 3 for each.
    assert exchange.bytes_sent == 8 + 6 + 8 + 6 * 3
    assert exchange.bytes_received == 6 * 8
    assert wire_seconds(exchange.bytes_sent + exchange.bytes_received, 1_000_000) == pytest.approx(0.00088)


def test_a_silent_line_costs_little_once_answers_are_known_to_be_quick(exchange_with):
    line, exchange = exchange_with(positions, delay_s=0.001)
    for _ in range(40):
        ask_all(exchange, 1, 2)
    line.answer = lambda _: b""
    before = line.clock.time
    assert not ask_all(exchange, 1, 2).replies
    assert line.clock.time - before < 0.006


def test_who_is_not_in_a_hurry_waits_as_long_as_any_adapter_needs(exchange_with):
    line, exchange = exchange_with(lambda _: b"")
    ask_all(exchange, 1, is_urgent=False)
    assert LONGEST_S < line.clock.time < LONGEST_S + 0.001


def test_answers_that_become_slow_are_waited_for(exchange_with):
    line, exchange = exchange_with(positions, delay_s=0.001)
    for _ in range(40):
        ask_all(exchange, 1)
    line.delay_s = 0.016
    tries = 1
    while not ask_all(exchange, 1).replies:
        tries += 1
    assert tries <= 3


def test_one_missing_motor_does_not_make_it_wait_longer_for_all(exchange_with):
    line, exchange = exchange_with(lambda request: positions(request)[8:])
    for _ in range(60):
        before = line.clock.time
        assert list(ask_all(exchange, 1, 2).replies) == [2]
    line.answer = positions
    ask_all(exchange, 1, 2)
    assert line.clock.time - before < 2 * LONGEST_S


def test_a_late_answer_is_not_believed_to_be_about_something_else(exchange_with):
    line, exchange = exchange_with(lambda request: encode(Packet(1, 0, POSITION.encode(request[5]))), delay_s=0.001)
    for _ in range(40):
        ask_all(exchange, 1)
    line.delay_s = 0.02
    assert not ask_all(exchange, 1).replies
    line.delay_s = 0.001
    reply = exchange.ask(StsDialect().read(1, SPEED)).replies[1]
    assert POSITION.decode(reply.data) == SPEED.address


def test_what_is_missing_and_what_is_damaged_is_told_apart(exchange_with):
    _, exchange = exchange_with(lambda request: positions(request)[:-1] + b"\0")
    answers = ask_all(exchange, 1, 2)
    assert (list(answers.replies), answers.damaged) == ([1], {2})
    _, exchange = exchange_with(lambda request: positions(request)[8:])
    answers = ask_all(exchange, 1, 2)
    assert (list(answers.replies), answers.damaged) == ([2], frozenset())


noise = st.binary(max_size=30) | st.lists(
    st.sampled_from(
        [b"\xff\xff", b"\xff\xff\x01\xf0", b"\xff\xff\xfd\x00", b"\xff\xff\xfd\x00\x01\x40\x00", b"\x01\x04"]
    ),
    max_size=6,
).map(b"".join)


@given(noise, noise)
def test_a_feetech_answer_is_found_among_noise(exchange_with, before, after):
    answer = encode(Packet(1, 0, POSITION.encode(1234)))
    _, exchange = exchange_with(lambda _: before + answer + after)
    reply = exchange.ask(StsDialect().read(1, POSITION)).replies[1]
    assert encode(Packet(*reply)) in before + answer + after


@given(noise, noise)
def test_a_dynamixel_answer_is_found_among_noise(exchange_with, before, after):
    item = X_SERIES["Present_Position"]
    answer = encode_dynamixel(DynamixelPacket(1, Instruction.STATUS, b"\0" + item.encode(1234)))
    _, exchange = exchange_with(lambda _: before + answer + after, dialect=DynamixelDialect())
    assert item.decode(exchange.ask(DynamixelDialect().read(1, item)).replies[1].data) == 1234


@given(st.binary(max_size=300))
def test_no_bytes_break_it(exchange_with, babble):
    for dialect, item in ((StsDialect(), POSITION), (DynamixelDialect(), X_SERIES["Present_Position"])):
        _, exchange = exchange_with(lambda _: babble, dialect=dialect)
        for question in (dialect.read(1, item), dialect.sync_read((1, 2, 3), item, 0), dialect.ping(1)):
            answers = exchange.ask(question)
            assert set(answers.replies) | answers.damaged <= set(question.wanted)


@given(st.lists(st.floats(0.0, 0.02), min_size=60, max_size=60))
def test_the_allowance_stays_within_reason(delays):
    turnaround = Turnaround()
    for delay_s in delays:
        turnaround.heard(delay_s)
        assert 0.004 <= turnaround.allowance_s <= LONGEST_S
    turnaround.missed()
    assert 0.004 <= turnaround.allowance_s <= LONGEST_S
