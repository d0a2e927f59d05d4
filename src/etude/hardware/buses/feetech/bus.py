"""Motors on a Feetech wire, by name: ask, check the answer, ask again when it was lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from etude.core.errors import DeviceError, MotorSilent
from etude.hardware.buses.feetech.packet import BROADCAST, MAX_ID, OVERHEAD, Instruction, Packet, encode, parse
from etude.hardware.buses.feetech.registers import fault_names, register
from etude.hardware.device import Line

_MAX_READS = 32
"""Reads per answer; a line that babbles must not keep the bus for ever."""


class FeetechBus:
    """Reads and writes the registers of named motors over an open line.

    A lost or garbled answer is asked for again up to `retries` times. Values are raw register values.
    """

    def __init__(self, line: Line, motors: Mapping[str, int], *, retries: int = 2, timeout_s: float = 0.05) -> None:
        self.line, self.motors = line, dict(motors)
        self._retries, self._timeout_s = retries, timeout_s

    def ping(self, motor: str) -> None:
        """Return when `motor` answers; raise `MotorSilent` when it does not."""
        self._ask_one(Instruction.PING, motor)

    def scan(self) -> list[int]:
        """List the ids of all motors that answer a broadcast, known or not."""
        replies = self._try(Packet(BROADCAST, Instruction.PING), range(MAX_ID + 1), 0)
        return sorted(replies)

    def read(self, name: str, motor: str) -> int:
        """Read register `name` of `motor`; raise `DeviceError` when the motor reports a fault."""
        item = register(name)
        reply = self._ask_one(Instruction.READ, motor, bytes((item.address, item.size)), item.size)
        self._check_faults(motor, reply)
        return item.decode(reply.params)

    def write(self, name: str, motor: str, value: int, *, despite_faults: bool = False) -> None:
        """Write register `name` of `motor`; raise `DeviceError` when the motor reports a fault, unless told not to."""
        item = register(name)
        reply = self._ask_one(Instruction.WRITE, motor, bytes((item.address,)) + item.encode(value))
        if not despite_faults:
            self._check_faults(motor, reply)

    def sync_read(self, name: str, motors: Iterable[str] | None = None) -> dict[str, int]:
        """Read register `name` of `motors`, or of all, in one exchange. Faults do not hinder it."""
        item = register(name)
        wanted = {self.motors[motor]: motor for motor in (self.motors if motors is None else motors)}
        packet = Packet(BROADCAST, Instruction.SYNC_READ, bytes((item.address, item.size, *wanted)))
        replies = self._ask(packet, wanted, item.size)
        return {motor: item.decode(replies[motor_id].params) for motor_id, motor in wanted.items()}

    def sync_write(self, name: str, values: Mapping[str, int]) -> None:
        """Write register `name` of several motors in one packet, which no motor acknowledges."""
        item = register(name)
        blocks = b"".join(bytes((self.motors[motor],)) + item.encode(value) for motor, value in values.items())
        self.line.write(encode(Packet(BROADCAST, Instruction.SYNC_WRITE, bytes((item.address, item.size)) + blocks)))

    def _ask_one(self, code: Instruction, motor: str, params: bytes = b"", size: int = 0) -> Packet:
        motor_id = self.motors[motor]
        return self._ask(Packet(motor_id, code, params), {motor_id: motor}, size)[motor_id]

    def _ask(self, packet: Packet, wanted: Mapping[int, str], size: int) -> dict[int, Packet]:
        """Get an answer of `size` bytes from every motor wanted."""
        replies: dict[int, Packet] = {}
        for _ in range(self._retries + 1):
            replies = self._try(packet, wanted, size)
            if len(replies) == len(wanted):
                return replies
        silent = next(motor_id for motor_id in wanted if motor_id not in replies)
        raise MotorSilent(wanted[silent], silent, self.line.name, self.scan())

    def _try(self, packet: Packet, wanted: Iterable[int], size: int) -> dict[int, Packet]:
        """Send `packet` once and collect the answers that come in time, by id."""
        self.line.discard()
        self.line.write(encode(packet))
        missing, replies, pending = set(wanted), {}, b""
        for _ in range(_MAX_READS):
            expected = max(1, len(missing) * (OVERHEAD + size) - len(pending))
            data = self.line.read(expected, self._timeout_s)
            packets, pending = parse(pending + data)
            replies |= {reply.id: reply for reply in packets if reply.id in missing and len(reply.params) == size}
            missing -= replies.keys()
            if not missing or len(data) < expected:
                break
        return replies

    def _check_faults(self, motor: str, reply: Packet) -> None:
        if reply.code:
            faults = ", ".join(fault_names(reply.code)) or f"fault {reply.code}"
            raise DeviceError(
                f"Motor '{motor}' (id {reply.id}) on {self.line.name} reports: {faults}. "
                "Relieve it, let it cool, check the power supply, then switch its power off and on."
            )
