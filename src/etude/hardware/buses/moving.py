"""Giving a motor another id or rate, and speaking to it by that from then on, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from etude.core.errors import ConfigError, DeviceError
from etude.hardware.buses.contact import Contact
from etude.hardware.buses.dialect import Reply
from etude.hardware.buses.register import Register

MAX_ID = 0xFC
"""Greatest id that a motor of any family can have."""


def move(
    contact: Contact,
    motor: str,
    item: Register,
    value: int,
    *,
    rates: Mapping[int, int],
    check: Callable[[Reply], None],
) -> None:
    """Write `value` into ID or Baud_Rate until the motor answers there; raise `MotorSilent` when it never does.

    It may acknowledge that the old way, the new way, or not at all. `check` raises when it refuses. `rates` are the
    values of Baud_Rate by rate.
    """
    before = contact.motors[motor].id, contact.exchange.baud_rate
    if item.name == "ID":
        _check_free(contact, motor, value)
        after = value, before[1]
    else:
        after = before[0], _rate(rates, value)
    for _ in range(contact.config.retries + 1):
        for reply in contact.ask(contact.dialect.write(before[0], item, value)).replies.values():
            check(reply)
        _reach(contact, motor, *after)
        if any(contact.ask(contact.dialect.ping(after[0])).replies for _ in range(contact.config.retries + 1)):
            return
        _reach(contact, motor, *before)
    raise contact.silence(motor)


def _check_free(contact: Contact, motor: str, motor_id: int) -> None:
    """Raise when no motor can have that id, or another one has it: both would talk at once ever after."""
    if not 0 <= motor_id <= MAX_ID:
        raise ConfigError(f"ID takes 0 to {MAX_ID}, got {motor_id}.")
    if motor_id != contact.motors[motor].id and contact.ask(contact.dialect.ping(motor_id)).replies:
        raise DeviceError(
            f"Motor '{motor}' on {contact.line.name} cannot have id {motor_id}: another motor has it already. "
            "Connect one motor at a time."
        )


def _rate(rates: Mapping[int, int], code: int) -> int:
    by_code = {code: rate for rate, code in rates.items()}
    if code not in by_code:
        raise ConfigError(f"Baud_Rate takes {', '.join(map(str, by_code))}, got {code}.")
    return by_code[code]


def _reach(contact: Contact, motor: str, motor_id: int, baud_rate: int) -> None:
    contact.rename(motor, motor_id)
    contact.set_baud_rate(baud_rate)
