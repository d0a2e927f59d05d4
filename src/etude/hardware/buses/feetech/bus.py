"""Feetech servos on a wire, by name."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from etude.core.errors import DeviceError
from etude.hardware.bus import Motor, Vitals
from etude.hardware.buses.dialect import Reply
from etude.hardware.buses.feetech.config import Config
from etude.hardware.buses.feetech.dialect import ScsDialect, StsDialect
from etude.hardware.buses.feetech.registers import BAUD_RATES, MODELS, SCS0009, fault_names
from etude.hardware.buses.register import Register, find
from etude.hardware.buses.wire_bus import WireBus
from etude.hardware.device import Line
from etude.hardware.line import line_at

_FULL_LOAD = 1000
_VOLTS = 0.1
"""Unit of Present_Voltage."""


def build(config: Config, motors: Mapping[str, Motor]) -> FeetechBus:
    """Make the bus; its line is not open yet."""
    line = line_at(config.port, body=config.body, is_leader=config.is_leader)
    return FeetechBus(line, motors, config)


class FeetechBus(WireBus):
    """Servos of the STS and SMS series, or of the SCS series."""

    homing_sign = -1
    baud_rates = BAUD_RATES

    def __init__(self, line: Line, motors: Mapping[str, Motor], config: Config | None = None) -> None:
        is_scs = any(MODELS[motor.model].table is SCS0009 for motor in motors.values() if motor.model in MODELS)
        super().__init__(line, motors, ScsDialect() if is_scs else StsDialect(), MODELS, config or Config())
        self.max_offset = 0 if is_scs else find(self._table, "Homing_Offset").bounds[1]
        self._unlocked: set[str] = set()

    def write(self, name: str, motor: str, value: int, *, despite_faults: bool = False) -> None:
        """Write register `name` of `motor`; raise `DeviceError` when the motor reports a fault, unless told not to.

        A register in the EEPROM is unlocked for it, and locked again also when the write fails.
        """
        if not find(self._table, name).is_kept or motor in self._unlocked:
            super().write(name, motor, value, despite_faults=despite_faults)
            return
        with self.unlocked(motor):
            super().write(name, motor, value, despite_faults=despite_faults)

    @contextmanager
    def unlocked(self, motor: str) -> Generator[None]:
        """Leave the EEPROM of `motor` open for the length of a block, which saves a lock around each write."""
        super().write("Lock", motor, 0, despite_faults=True)
        self._unlocked.add(motor)
        try:
            yield
        finally:
            self._unlocked.discard(motor)
            super().write("Lock", motor, 1, despite_faults=True)

    def _check(self, motor: str, reply: Reply, item: Register, *, despite_faults: bool = False) -> None:  # noqa: ARG002
        if reply.error and not despite_faults:
            faults = ", ".join(fault_names(reply.error)) or f"fault {reply.error}"
            raise DeviceError(
                f"Motor '{motor}' (id {reply.id}) on {self.line.name} reports: {faults}. "
                "Relieve it, let it cool, check the power supply, then switch its power off and on."
            )

    def _feel(self, motor: str) -> Vitals:
        """Read load, voltage, temperature and status, which lie side by side, in one exchange."""
        first, last = find(self._table, "Present_Load"), find(self._table, "Status")
        whole = Register("vitals", first.address, last.address + last.size - first.address)
        reply = self._ask_now(motor, whole)

        def value(name: str) -> int:
            item = find(self._table, name)
            place = item.address - first.address
            return item.decode(reply.data[place : place + item.size])

        return Vitals(
            voltage_v=value("Present_Voltage") * _VOLTS,
            temperature_c=float(value("Present_Temperature")),
            load=max(-1.0, min(1.0, value("Present_Load") / _FULL_LOAD)),
            faults=tuple(fault_names(reply.error | value("Status"))),
        )
