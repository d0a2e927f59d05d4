import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etude.hardware.buses.dynamixel.packet import BROADCAST, HEADER, MAX_ID, Instruction, Packet, crc16, encode, parse

# Measured on ROBOTIS' SDK, and the examples of its manual.
VENDOR = {
    "FF FF FD 00 01 03 00 01 19 4E": Packet(1, Instruction.PING),
    "FF FF FD 00 01 07 00 02 84 00 04 00 1D 15": Packet(1, Instruction.READ, bytes([132, 0, 4, 0])),
    "FF FF FD 00 01 08 00 55 00 A6 00 00 00 8C C0": Packet(1, Instruction.STATUS, bytes([0, 0xA6, 0, 0, 0])),
    "FF FF FD 00 01 07 00 55 00 06 04 26 65 5D": Packet(1, Instruction.STATUS, bytes([0, 6, 4, 38])),
    "FF FF FD 00 FE 03 00 01 31 42": Packet(BROADCAST, Instruction.PING),
}

ids = st.integers(0, MAX_ID) | st.just(BROADCAST)
like_headers = st.lists(st.sampled_from([b"\xff", b"\xfd", HEADER, b"\x00", b"\xff\xff\xfd"])).map(b"".join)
params = st.binary(max_size=80) | like_headers
codes = st.integers(0, 255).filter(lambda code: code != Instruction.STATUS)
packets = st.builds(Packet, ids, codes, params)


@pytest.mark.parametrize("text", VENDOR)
def test_the_vendors_examples(text):
    assert encode(VENDOR[text]) == bytes.fromhex(text)
    assert parse(bytes.fromhex(text)) == ([VENDOR[text]], b"")


def test_what_looks_like_a_header_is_stuffed():
    packet = Packet(1, Instruction.WRITE, bytes([116, 0, 0xFF, 0xFF, 0xFD, 0x00]))
    wire = encode(packet)
    assert wire[5:-2] == bytes.fromhex("0A 00 03 74 00 FF FF FD FD 00")
    assert parse(wire) == ([packet], b"")


def test_the_sum_can_go_on():
    assert crc16(b"def", crc16(b"abc")) == crc16(b"abcdef")


ENDS_LIKE_A_HEADER = Packet(254, 213, bytes.fromhex("FF FF FD 00 FD 00 FF FF FD FD FF FD FF FF FD 00 FF FF FD FF FF"))
"""Its sum begins with FD."""


@given(packets)
@example(ENDS_LIKE_A_HEADER)
def test_no_header_is_hidden_inside_a_packet(packet):
    stuffed = encode(packet)[:-2]  # the sum behind it is not
    assert stuffed.count(HEADER[:3]) == stuffed.count(b"\xff\xff\xfd\xfd") + 1


def test_a_sum_that_goes_on_like_a_header_does_not_mislead():
    wire = encode(ENDS_LIKE_A_HEADER)
    assert wire[-4:-1] == HEADER[:3]
    assert parse(wire + encode(Packet(2, Instruction.PING))) == ([ENDS_LIKE_A_HEADER, Packet(2, Instruction.PING)], b"")


def test_after_a_wrong_sum_the_next_packet_is_found():
    wrong = bytearray(encode(Packet(1, Instruction.PING)))
    wrong[-1] ^= 1
    assert parse(bytes(wrong) + encode(Packet(2, Instruction.PING))) == ([Packet(2, Instruction.PING)], b"")


@given(st.binary(max_size=600) | like_headers)
def test_any_bytes_are_survived_and_nothing_is_invented(noise):
    found, rest = parse(noise)
    assert noise.endswith(rest)
    for packet in found:
        whole = [encode(packet), encode(packet, is_stuffed=False)]
        assert any(wire in noise for wire in whole)


def test_the_answer_to_a_fast_read_is_not_unstuffed():
    packet = Packet(BROADCAST, Instruction.STATUS, bytes.fromhex("00 01 FF FF FD FD"))
    assert parse(encode(packet, is_stuffed=False)) == ([packet], b"")
