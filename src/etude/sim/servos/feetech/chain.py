"""Simulated Feetech servos on one wire.

Source: Feetech's FT-SCS protocol (ftservo wiki).
"""

from __future__ import annotations

from etude.hardware.buses.feetech.packet import BROADCAST, Instruction, Packet, parse
from etude.sim.servos.chain import Chain
from etude.sim.servos.feetech.servo import Sts3215


class ServoChain(Chain[Sts3215]):
    """Servos of either series on one wire."""

    id_at = 2

    def _hear(self, data: bytes) -> tuple[list[bytes], bytes]:
        packets, rest = parse(data)
        return [answer for packet in packets for answer in self._answer(packet)], rest

    def _answer(self, packet: Packet) -> list[bytes]:
        if packet.code == Instruction.SYNC_READ:
            return self._sync_read(packet.params)
        if packet.code == Instruction.SYNC_WRITE:
            self._sync_write(packet.params)
            return []
        return [servo.answer(packet) for servo_id, servo in self._awake() if packet.id in (servo_id, BROADCAST)]

    def _awake(self) -> list[tuple[int, Sts3215]]:
        """Give the servos that hear what is said now, with their ids."""
        return [(servo.id, servo) for servo in self.servos if self._is_awake(servo)]

    def _sync_read(self, params: bytes) -> list[bytes]:
        if len(params) < 2:
            return []
        address, size, *ids = params
        awake = self._awake()
        asked = [servo for wanted in ids for servo_id, servo in awake if wanted in (servo_id, BROADCAST)]
        listening = [servo for servo in asked if Instruction.SYNC_READ in servo.understands]
        return [servo.status(servo.read(address, size)) for servo in listening]

    def _sync_write(self, params: bytes) -> None:
        if len(params) < 2:
            return
        address, size, blocks = params[0], params[1], params[2:]
        awake = self._awake()
        for start in range(0, len(blocks) - size, size + 1):
            for servo_id, servo in awake:
                if blocks[start] in (servo_id, BROADCAST):
                    servo.write(address, blocks[start + 1 : start + 1 + size])
