"""Dynamixel's protocol 2.0 as a bus needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from etude.hardware.buses.dialect import Question, Replies, Reply
from etude.hardware.buses.dynamixel.packet import (
    BROADCAST,
    HEADER,
    MAX_ID,
    OVERHEAD,
    Instruction,
    Packet,
    encode,
    parse,
)
from etude.hardware.buses.dynamixel.registers import ALERT
from etude.hardware.buses.register import Register

_TOGETHER = 2
"""Tries that ask all at once; after them each is asked alone, in case one disturbs the others."""
_REFUSALS = 3
"""Times in a row that a fast read is in vain where a plain one is not, until it is not tried again."""
_TURN_S = 0.003
"""How long a motor may let each smaller id go first when all are asked at once, as Dynamixel's SDK has it."""
_PING_SIZE = 3
"""A motor that is there tells its model number and firmware."""
_FAST_FRAME = OVERHEAD - 2
_FAST_OVERHEAD = 4
"""Bytes of one motor's part in the answer to a fast read beyond its data: error, id, and a CRC of all before."""


class DynamixelDialect:
    """Remembers only whether the motors know the fast sync read."""

    def __init__(self, *, is_fast: bool = True) -> None:
        self._is_fast, self._last_attempt, self._refusals = is_fast, 0, 0

    def least_tick_bytes(self, num_motors: int) -> int:
        """Count the bytes, both ways, that it takes at least to read all positions and to write all goals.

        Asking `FF FF FD 00 FE LEN LEN 8A ADDRESS*2 SIZE*2 ids CRC*2`, the answer `FF FF FD 00 FE LEN LEN 55` with
        `ERROR ID data CRC*2` for each, telling as asking, with ids and data; there are 4 bytes of data.
        """
        return 14 + num_motors + 8 + num_motors * (4 + 4) + 14 + num_motors * (1 + 4)

    def header(self, motor_id: int) -> bytes:
        """Give how every reply of a motor begins."""
        return HEADER + bytes((motor_id,))

    def ping(self, motor_id: int) -> Question:
        """Ask whether a motor is there."""
        return _question(Packet(motor_id, Instruction.PING), (motor_id,), _PING_SIZE, "ping")

    def roll_call(self, ids: Iterable[int]) -> list[Question]:  # noqa: ARG002
        """Ask who is there: all answer a ping to everybody."""
        everybody = tuple(range(MAX_ID + 1))
        question = _question(Packet(BROADCAST, Instruction.PING), everybody, _PING_SIZE, "ping")
        return [question._replace(patience_s=len(everybody) * _TURN_S)]

    def read(self, motor_id: int, item: Register) -> Question:
        """Ask for a register of one motor."""
        return _question(Packet(motor_id, Instruction.READ, _span(item)), (motor_id,), item.size, item.name)

    def write(self, motor_id: int, item: Register, value: int) -> Question:
        """Write a register of one motor, which answers that it did."""
        params = item.address.to_bytes(2, "little") + item.encode(value)
        return _question(Packet(motor_id, Instruction.WRITE, params), (motor_id,), topic="write")

    def sync_read(self, motor_ids: tuple[int, ...], item: Register, attempt: int) -> Question | None:
        """Ask several motors for the same register: in one frame at first, then each in its own."""
        self._learn(attempt)
        if attempt >= _TOGETHER:
            return None
        code = Instruction.SYNC_READ if attempt or not self._is_fast else Instruction.FAST_SYNC_READ
        packet = Packet(BROADCAST, code, _span(item) + bytes(motor_ids))
        question = _question(packet, motor_ids, item.size, item.name)
        if code == Instruction.SYNC_READ:
            return question
        return question._replace(reply_bytes=_FAST_OVERHEAD + item.size, frame_bytes=_FAST_FRAME)

    def sync_write(self, item: Register, values: Mapping[int, int]) -> bytes:
        """Write the same register of several motors; none answers."""
        blocks = b"".join(bytes((motor_id,)) + item.encode(value) for motor_id, value in values.items())
        return encode(Packet(BROADCAST, Instruction.SYNC_WRITE, _span(item) + blocks))

    def replies(self, data: bytes, size: int) -> Replies:
        """Find the replies that carry `size` bytes, or refuse to; noise between them is skipped.

        What stuffing adds counts as skipped too, which is noticed only where another answer is missing.
        """
        packets, rest = parse(data)
        statuses = [packet for packet in packets if packet.code == Instruction.STATUS and packet.params]
        found = [reply for packet in statuses for reply in _read(packet, size)]
        used = sum(OVERHEAD + len(packet.params) for packet in packets)
        return Replies(found, rest, len(data) - len(rest) - used)

    def _learn(self, attempt: int) -> None:
        """Give the fast read up when again and again only the plain one is answered."""
        if attempt == 0:
            self._refusals = self._refusals + 1 if self._last_attempt == 1 else 0
            self._is_fast = self._is_fast and self._refusals < _REFUSALS
        self._last_attempt = attempt


def _question(packet: Packet, wanted: tuple[int, ...], size: int = 0, topic: str = "") -> Question:
    return Question(request=encode(packet), wanted=wanted, size=size, topic=topic, reply_bytes=OVERHEAD + 1 + size)


def _span(item: Register) -> bytes:
    return item.address.to_bytes(2, "little") + item.size.to_bytes(2, "little")


def _read(packet: Packet, size: int) -> Iterator[Reply]:
    """Give the replies in a status packet; the answer to a fast read holds several."""
    if packet.id == BROADCAST:
        each = size + _FAST_OVERHEAD
        if (len(packet.params) + 2) % each == 0:
            for start in range(0, len(packet.params), each):
                error, motor_id = packet.params[start : start + 2]
                yield Reply(motor_id, error, packet.params[start + 2 : start + 2 + size])
        return
    error, data = packet.params[0], packet.params[1:]
    if len(data) == size or (error & ~ALERT and not data):
        yield Reply(packet.id, error, data)
