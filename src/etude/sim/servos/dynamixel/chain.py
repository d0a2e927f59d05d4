"""Simulated Dynamixels on one wire, and the instructions that speak to several of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from etude.hardware.buses.dynamixel.packet import BROADCAST, HEADER, Instruction, Packet, crc16, parse
from etude.sim.servos.chain import Chain
from etude.sim.servos.dynamixel.memory import Error, Refused
from etude.sim.servos.dynamixel.servo import XSeries

_ID_AT = 4
_BEFORE_CODE = 7
_LONGEST = 1024
"""Bytes of a packet after its length."""
_BULK = 5
"""Bytes for each servo in a bulk read: id, address, size."""
_Ask = tuple[int, int, int]
"""Id, address and size."""


class DynamixelChain(Chain[XSeries]):
    """Servos on one wire."""

    id_at = _ID_AT

    def _hear(self, data: bytes) -> tuple[list[bytes], bytes]:
        packets, rest = parse(data)
        if packets or not _is_whole(data):
            return [answer for packet in packets for answer in self._answer(packet)], rest
        # Its sum is wrong, and the servo it was for says so.
        return [
            servo.status(error=Error.CRC) for servo in self._listening(data[_ID_AT]) if data[_ID_AT] != BROADCAST
        ], b""

    def _answer(self, packet: Packet) -> list[bytes]:
        params = packet.params
        match packet.code:
            case Instruction.SYNC_READ | Instruction.BULK_READ:
                return [self._read(servo, ask) for ask in _asked(packet) for servo in self._listening(ask[0])]
            case Instruction.FAST_SYNC_READ | Instruction.FAST_BULK_READ:
                return [self._fast_read(_asked(packet))]
            case Instruction.SYNC_WRITE:
                address, size = _words(params[:4])
                for at in range(4, len(params) - size, size + 1):
                    self._write(params[at], address, params[at + 1 : at + 1 + size])
            case Instruction.BULK_WRITE:
                at = 0
                while at + _BULK <= len(params):
                    address, size = _words(params[at + 1 : at + _BULK])
                    self._write(params[at], address, params[at + _BULK : at + _BULK + size])
                    at += _BULK + size
            case _:
                return [servo.answer(packet) for servo in self._listening(packet.id)]
        return []

    def _listening(self, servo_id: int) -> list[XSeries]:
        return [servo for servo in self.servos if servo.hears(servo_id) and self._is_awake(servo)]

    def _read(self, servo: XSeries, ask: _Ask) -> bytes:
        servo_id, address, size = ask
        return servo.answer(Packet(servo_id, Instruction.READ, _bytes(address, size)))

    def _fast_read(self, asked: Sequence[_Ask]) -> bytes:
        """Give one packet to which all add their part; where one is missing, it breaks off."""
        length = 1 + sum(size + 4 for _, _, size in asked)
        if length > _LONGEST:
            return b""
        whole = HEADER + bytes((BROADCAST,)) + length.to_bytes(2, "little") + bytes((Instruction.STATUS,))
        for servo_id, address, size in asked:
            servo = next(iter(self._listening(servo_id)), None)
            if servo is None:
                return whole
            try:
                data, error = servo.read(address, size), 0
            except Refused as refused:
                data, error = bytes(size), refused.number
            part = servo.body(bytes((servo.id,)) + data, error)
            whole += part
            whole += crc16(whole).to_bytes(2, "little")
        return whole

    def _write(self, servo_id: int, address: int, data: bytes) -> None:
        """Write to a servo that will not say whether it minded."""
        for servo in self._listening(servo_id):
            with suppress(Refused):
                servo.hear()
                servo.write(address, data)


def _is_whole(data: bytes) -> bool:
    """Whether this is as long as its header says."""
    is_packet = data.startswith(HEADER) and len(data) >= _BEFORE_CODE
    return is_packet and len(data) == _BEFORE_CODE + int.from_bytes(data[5:_BEFORE_CODE], "little")


def _asked(packet: Packet) -> list[_Ask]:
    params = packet.params
    if packet.code in (Instruction.BULK_READ, Instruction.FAST_BULK_READ):
        blocks = [params[at : at + _BULK] for at in range(0, len(params) - _BULK + 1, _BULK)]
        return [(block[0], *_words(block[1:])) for block in blocks]
    if len(params) < len(_bytes(0, 0)):
        return []
    address, size = _words(params[:4])
    return [(servo_id, address, size) for servo_id in params[4:]]


def _words(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "little")


def _bytes(*words: int) -> bytes:
    return b"".join(word.to_bytes(2, "little") for word in words)
