"""Dynamixel servos on a wire, by name."""

from __future__ import annotations

from collections.abc import Mapping

from etude.core.errors import DeviceError
from etude.hardware.bus import Motor, Vitals
from etude.hardware.buses.dialect import Reply
from etude.hardware.buses.dynamixel.config import Config
from etude.hardware.buses.dynamixel.dialect import DynamixelDialect
from etude.hardware.buses.dynamixel.registers import (
    ALERT,
    BAUD_RATES,
    ERRORS,
    MAX_OFFSET,
    MODELS,
    X_SERIES,
    fault_names,
    register,
)
from etude.hardware.buses.register import Register
from etude.hardware.buses.wire_bus import WireBus
from etude.hardware.device import Line
from etude.hardware.line import line_at

_ACCESS = 7
_VOLTS = 0.1
"""Unit of Present_Input_Voltage."""
_FIRST, _LAST = register("Present_Current"), register("Present_Temperature")
_VITALS = Register("vitals", _FIRST.address, _LAST.address + _LAST.size - _FIRST.address)
"""Load, voltage and temperature, and what lies between them."""


def build(config: Config, motors: Mapping[str, Motor]) -> DynamixelBus:
    """Make the bus; its line is not open yet."""
    line = line_at(config.port, body=config.body, is_leader=config.is_leader)
    return DynamixelBus(line, motors, config)


class DynamixelBus(WireBus):
    """Servos of the X series."""

    homing_sign = 1
    max_offset = MAX_OFFSET
    baud_rates = BAUD_RATES

    def __init__(self, line: Line, motors: Mapping[str, Motor], config: Config | None = None) -> None:
        config = config or Config()
        # Whether motors know the fast read shows only when they are asked again.
        super().__init__(line, motors, DynamixelDialect(is_fast=config.retries > 0), MODELS, config)

    def _check(self, motor: str, reply: Reply, item: Register, *, despite_faults: bool = False) -> None:
        if refusal := reply.error & ~ALERT:
            why = ERRORS.get(refusal, f"error {refusal}")
            if refusal == _ACCESS and item.is_kept and not item.is_read_only:
                why = "it keeps it while its torque is on. Release the arm first"
            raise DeviceError(f"Motor '{motor}' (id {reply.id}) on {self.line.name} refused {item.name}: {why}.")
        if reply.error and not despite_faults:
            faults = ", ".join(self._faults(motor)) or "a fault that is over"
            raise DeviceError(
                f"Motor '{motor}' (id {reply.id}) on {self.line.name} has shut down: {faults}. "
                "Relieve it, let it cool, check the power supply, then switch its power off and on."
            )

    def _faults(self, motor: str) -> list[str]:
        item = register("Hardware_Error_Status")
        return fault_names(item.decode(self._ask_now(motor, item).data))

    def _feel(self, motor: str) -> Vitals:
        """Read load, voltage and temperature in one exchange, and what is wrong only if something is."""
        reply = self._ask_now(motor, _VITALS)
        self._check(motor, reply, _VITALS, despite_faults=True)

        def value(name: str) -> int:
            item = X_SERIES[name]
            place = item.address - _FIRST.address
            return item.decode(reply.data[place : place + item.size])

        return Vitals(
            voltage_v=value("Present_Input_Voltage") * _VOLTS,
            temperature_c=float(value("Present_Temperature")),
            load=max(-1.0, min(1.0, value("Present_Current") / self._models[motor].full_load)),
            faults=tuple(self._faults(motor)) if reply.error & ALERT else (),
        )
