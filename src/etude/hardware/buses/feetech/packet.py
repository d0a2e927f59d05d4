"""Feetech FT-SCS packets, protocol 0: `FF FF ID LEN CODE PARAMS CHECKSUM`, to bytes and back.

Source: Feetech's FT-SCS protocol description (ftservo wiki).
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

HEADER = b"\xff\xff"
BROADCAST = 0xFE
"""The id that every servo listens to."""
MAX_ID = 0xFD
OVERHEAD = 6
"""Bytes of a packet beyond its parameters."""
_MIN_LENGTH, _MAX_LENGTH = 2, 250
MAX_PARAMS = _MAX_LENGTH - 2
"""Parameters that fit into one packet."""


class Instruction(IntEnum):
    """What a host asks of a servo."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REG_WRITE = 0x04
    ACTION = 0x05
    RECOVERY = 0x06
    RESTART = 0x08
    BACKUP = 0x09
    RESET = 0x0A
    CALIBRATE = 0x0B
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


class Packet(NamedTuple):
    """One packet; `code` is an instruction on the way to a servo, and error bits on the way back."""

    id: int
    code: int
    params: bytes = b""


def encode(packet: Packet) -> bytes:
    """Give the bytes that go over the wire."""
    body = bytes((packet.id, len(packet.params) + 2, packet.code)) + packet.params
    return HEADER + body + bytes((checksum(body),))


def checksum(body: bytes) -> int:
    """Invert the sum of everything between header and checksum."""
    return ~sum(body) & 0xFF


def parse(data: bytes) -> tuple[list[Packet], bytes]:
    """Give the whole, correct packets in `data`, and the bytes at its end that may become one more.

    Noise is skipped: after a wrong length or checksum the search goes on at the next `FF FF`.
    """
    packets: list[Packet] = []
    position = 0
    while (start := data.find(HEADER, position)) >= 0:
        size = _size(data, start)
        if size is None or start + size > len(data):
            return packets, data[start:]
        body = data[start + 2 : start + size - 1]
        if size and checksum(body) == data[start + size - 1]:
            packets.append(Packet(body[0], body[2], body[3:]))
            position = start + size
        else:
            position = start + 1
    return packets, data[max(position, len(data) - 1) :] if data.endswith(HEADER[:1]) else b""


def _size(data: bytes, start: int) -> int | None:
    """Give the bytes of the packet that starts here: zero when it is none, nothing when that is not known yet."""
    if len(data) < start + 4:
        return 0 if data[start + 2 : start + 3] == b"\xff" else None
    motor_id, length = data[start + 2], data[start + 3]
    is_packet = motor_id <= BROADCAST and _MIN_LENGTH <= length <= _MAX_LENGTH
    return length + 4 if is_packet else 0
