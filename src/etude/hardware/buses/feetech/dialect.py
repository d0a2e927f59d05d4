"""Feetech's protocol as a bus needs it. Both series have the same packets; the SCS series knows fewer instructions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from etude.hardware.buses.dialect import Question, Replies, Reply
from etude.hardware.buses.feetech.packet import BROADCAST, HEADER, MAX_ID, OVERHEAD, Instruction, Packet, encode, parse
from etude.hardware.buses.register import Register

_TOGETHER = 2
"""Tries that ask all at once; after them each is asked alone, in case one disturbs the others."""
_TURN_S = 0.003
"""How long a motor may let each smaller id go first when all are asked at once, as Feetech's SDK has it."""


class StsDialect:
    """Protocol 0: the STS and SMS series."""

    def least_tick_bytes(self, num_motors: int) -> int:
        """Count the bytes, both ways, that it takes at least to read all positions and to write all goals.

        Asking `FF FF FE LEN 82 ADDRESS SIZE ids SUM`, each answer `FF FF ID LEN ERROR data SUM`, telling
        `FF FF FE LEN 83 ADDRESS SIZE ids+data SUM`, with 2 bytes of data.
        """
        return 8 + num_motors * (1 + 6 + 2) + 8 + num_motors * (1 + 2)

    def header(self, motor_id: int) -> bytes:
        """Give how every reply of a motor begins."""
        return HEADER + bytes((motor_id,))

    def ping(self, motor_id: int) -> Question:
        """Ask whether a motor is there."""
        return _question(Packet(motor_id, Instruction.PING), (motor_id,), topic="ping")

    def roll_call(self, ids: Iterable[int]) -> list[Question]:  # noqa: ARG002
        """Ask who is there: all answer a ping to everybody."""
        everybody = tuple(range(MAX_ID + 1))
        question = _question(Packet(BROADCAST, Instruction.PING), everybody, topic="ping")
        return [question._replace(patience_s=len(everybody) * _TURN_S)]

    def read(self, motor_id: int, item: Register) -> Question:
        """Ask for a register of one motor."""
        packet = Packet(motor_id, Instruction.READ, bytes((item.address, item.size)))
        return _question(packet, (motor_id,), item.size, item.name)

    def write(self, motor_id: int, item: Register, value: int) -> Question:
        """Write a register of one motor, which answers that it did."""
        packet = Packet(motor_id, Instruction.WRITE, bytes((item.address,)) + item.encode(value))
        return _question(packet, (motor_id,), topic="write")

    def sync_read(self, motor_ids: tuple[int, ...], item: Register, attempt: int) -> Question | None:
        """Ask several motors for the same register."""
        if attempt >= _TOGETHER:
            return None
        packet = Packet(BROADCAST, Instruction.SYNC_READ, bytes((item.address, item.size, *motor_ids)))
        return _question(packet, motor_ids, item.size, item.name)

    def sync_write(self, item: Register, values: Mapping[int, int]) -> bytes:
        """Write the same register of several motors; none answers."""
        blocks = b"".join(bytes((motor_id,)) + item.encode(value) for motor_id, value in values.items())
        return encode(Packet(BROADCAST, Instruction.SYNC_WRITE, bytes((item.address, item.size)) + blocks))

    def replies(self, data: bytes, size: int) -> Replies:
        """Find the replies that carry `size` bytes; noise between them is skipped."""
        packets, rest = parse(data)
        used = sum(OVERHEAD + len(packet.params) for packet in packets)
        found = [Reply(packet.id, packet.code, packet.params) for packet in packets if len(packet.params) == size]
        return Replies(found, rest, len(data) - len(rest) - used)


class ScsDialect(StsDialect):
    """Protocol 1: the SCS series, which is asked one by one."""

    def least_tick_bytes(self, num_motors: int) -> int:
        """Count the bytes, both ways, that it takes at least to read all positions and to write all goals.

        Asking each `FF FF ID LEN 02 ADDRESS SIZE SUM`, answer and telling as in protocol 0.
        """
        return num_motors * (8 + 6 + 2) + 8 + num_motors * (1 + 2)

    def roll_call(self, ids: Iterable[int]) -> list[Question]:
        """Ask one after the other whether it is there."""
        return [self.ping(motor_id) for motor_id in ids]

    def sync_read(self, motor_ids: tuple[int, ...], item: Register, attempt: int) -> Question | None:  # noqa: ARG002
        """Give nothing: such a motor must be asked alone."""
        return None


def _question(packet: Packet, wanted: tuple[int, ...], size: int = 0, topic: str = "") -> Question:
    return Question(request=encode(packet), wanted=wanted, size=size, topic=topic, reply_bytes=OVERHEAD + size)
