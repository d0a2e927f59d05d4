import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.hardware.buses.feetech.packet import BROADCAST, Instruction, Packet, encode, parse

_GOAL = "00 08 00 00 E8 03"

# The examples of Feetech's protocol description.
VENDOR = {
    "FF FF 01 02 01 FB": Packet(1, Instruction.PING),
    "FF FF 01 04 02 38 02 BE": Packet(1, Instruction.READ, bytes([0x38, 2])),
    "FF FF FE 04 03 05 01 F4": Packet(BROADCAST, Instruction.WRITE, bytes([5, 1])),
    "FF FF 01 09 03 2A 00 08 00 00 E8 03 D5": Packet(1, Instruction.WRITE, bytes.fromhex("2A 00 08 00 00 E8 03")),
    "FF FF 01 09 04 2A 00 08 00 00 E8 03 D4": Packet(1, Instruction.REG_WRITE, bytes.fromhex("2A 00 08 00 00 E8 03")),
    "FF FF FE 02 05 FA": Packet(BROADCAST, Instruction.ACTION),
    "FF FF FE 06 82 38 08 01 02 36": Packet(BROADCAST, Instruction.SYNC_READ, bytes([0x38, 8, 1, 2])),
    f"FF FF FE 20 83 2A 06 01 {_GOAL} 02 {_GOAL} 03 {_GOAL} 04 {_GOAL} 58": Packet(
        BROADCAST,
        Instruction.SYNC_WRITE,
        bytes([0x2A, 6]) + b"".join(bytes([motor]) + bytes.fromhex(_GOAL) for motor in (1, 2, 3, 4)),
    ),
    "FF FF 01 02 0A F2": Packet(1, Instruction.RESET),
    "FF FF 01 02 0B F1": Packet(1, Instruction.CALIBRATE),
    "FF FF 01 04 0B 00 04 EB": Packet(1, Instruction.CALIBRATE, bytes([0, 4])),
    "FF FF 01 02 06 F6": Packet(1, Instruction.RECOVERY),
    "FF FF 01 02 09 F3": Packet(1, Instruction.BACKUP),
    "FF FF 01 02 08 F4": Packet(1, Instruction.RESTART),
    "FF FF 01 04 00 18 05 DD": Packet(1, 0, bytes([0x18, 5])),
}

packets = st.builds(Packet, st.integers(0, BROADCAST), st.integers(0, 255), st.binary(max_size=248))


@pytest.mark.parametrize("text", VENDOR)
def test_the_vendors_examples(text):
    assert encode(VENDOR[text]) == bytes.fromhex(text)
    assert parse(bytes.fromhex(text)) == ([VENDOR[text]], b"")


def test_after_a_wrong_checksum_the_next_packet_is_found():
    wrong = bytearray.fromhex("FF FF 01 02 01 FC")
    assert parse(bytes(wrong) + bytes.fromhex("FF FF 02 02 00 FB")) == ([Packet(2, 0)], b"")


def test_a_packet_swallowed_by_a_wrong_length_is_found():
    assert parse(bytes.fromhex("FF FF 01 09 01 FF FF 02 02 00 FB FF FF 03")) == ([Packet(2, 0)], b"\xff\xff\x03")


@given(st.binary(max_size=600))
def test_any_bytes_are_survived_and_what_is_kept_is_short(noise):
    found, rest = parse(noise)
    assert noise.endswith(rest)
    assert len(rest) < 254
    assert all(encode(packet) in noise for packet in found), "none is invented"
    assert sum(len(encode(packet)) for packet in found) + len(rest) <= len(noise)
