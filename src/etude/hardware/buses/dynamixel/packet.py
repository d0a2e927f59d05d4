"""Dynamixel protocol 2.0 packets: `FF FF FD 00 ID LEN LEN CODE PARAMS CRC CRC`, to bytes and back.

Source: ROBOTIS e-Manual, "DYNAMIXEL Protocol 2.0".
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

HEADER = b"\xff\xff\xfd\x00"
BROADCAST = 0xFE
"""The id that every servo listens to."""
MAX_ID = 0xFC
OVERHEAD = 10
"""Bytes of a packet beyond its parameters."""
_BEFORE_CODE = 7
_MIN_LENGTH, _MAX_LENGTH = 3, 1024
_LOOKS_LIKE_A_HEADER = b"\xff\xff\xfd"
_STUFFING = b"\xfd"


class Instruction(IntEnum):
    """What a host asks of a servo; `STATUS` is what the servo answers."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REG_WRITE = 0x04
    ACTION = 0x05
    FACTORY_RESET = 0x06
    REBOOT = 0x08
    CLEAR = 0x10
    BACKUP = 0x20
    STATUS = 0x55
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83
    FAST_SYNC_READ = 0x8A
    BULK_READ = 0x92
    BULK_WRITE = 0x93
    FAST_BULK_READ = 0x9A


class Packet(NamedTuple):
    """One packet; the first parameter of a status is its error byte."""

    id: int
    code: int
    params: bytes = b""


def _crc_of(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


_CRC_TABLE = tuple(map(_crc_of, range(256)))


def crc16(data: bytes, crc: int = 0) -> int:
    """Give the CRC-16 of `data`, going on from `crc`: polynomial 0x8005, most significant bit first."""
    for byte in data:
        crc = crc << 8 & 0xFFFF ^ _CRC_TABLE[crc >> 8 ^ byte]
    return crc


def encode(packet: Packet, *, is_stuffed: bool = True) -> bytes:
    """Give the bytes that go over the wire; only the answer to a fast read is not stuffed."""
    body = bytes((packet.code,)) + packet.params
    if is_stuffed:
        body = body.replace(_LOOKS_LIKE_A_HEADER, _LOOKS_LIKE_A_HEADER + _STUFFING)
    whole = HEADER + bytes((packet.id,)) + (len(body) + 2).to_bytes(2, "little") + body
    return whole + crc16(whole).to_bytes(2, "little")


def parse(data: bytes) -> tuple[list[Packet], bytes]:
    """Give the whole, correct packets in `data`, and the bytes at its end that may become one more.

    Noise is skipped: after a wrong length or CRC the search goes on at the next header. The answer to a fast read
    keeps its parameters as they are.
    """
    packets: list[Packet] = []
    position = 0
    while (start := data.find(HEADER, position)) >= 0:
        size = _size(data, start)
        if size is None or start + size > len(data):
            return packets, data[start:]
        whole = data[start : start + size]
        if size and crc16(whole[:-2]) == int.from_bytes(whole[-2:], "little"):
            packets.append(_packet(whole))
            position = start + size
        else:
            position = start + 1
    return packets, _beginning(data[position:])


def _packet(whole: bytes) -> Packet:
    body = whole[_BEFORE_CODE:-2]
    is_fast_answer = whole[4] == BROADCAST and body[0] == Instruction.STATUS
    if not is_fast_answer:
        body = body.replace(_LOOKS_LIKE_A_HEADER + _STUFFING, _LOOKS_LIKE_A_HEADER)
    return Packet(whole[4], body[0], body[1:])


def _size(data: bytes, start: int) -> int | None:
    """Give the bytes of the packet that starts here: zero when it is none, nothing when that is not known yet."""
    if len(data) < start + _BEFORE_CODE:
        return None
    length = int.from_bytes(data[start + 5 : start + _BEFORE_CODE], "little")
    is_id = data[start + 4] <= MAX_ID or data[start + 4] == BROADCAST
    is_packet = is_id and _MIN_LENGTH <= length <= _MAX_LENGTH
    return _BEFORE_CODE + length if is_packet else 0


def _beginning(data: bytes) -> bytes:
    """Give the bytes at the end of `data` that may begin a header."""
    for length in range(min(len(HEADER) - 1, len(data)), 0, -1):
        if data.endswith(HEADER[:length]):
            return data[-length:]
    return b""
