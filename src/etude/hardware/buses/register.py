"""One number in a motor's memory, to bytes and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError, NotFound


@dataclass(frozen=True, slots=True)
class Register:
    """Where a number lies in a motor's memory and how it is written.

    With `sign_bit` it is a sign and a magnitude, with `is_signed` a two's complement, else it is never negative.
    """

    name: str
    address: int
    size: int
    factory: int = 0
    """Value when new."""
    sign_bit: int | None = None
    is_signed: bool = False
    is_read_only: bool = False
    is_kept: bool = False
    """Whether it lies in the EEPROM, which outlives a power cycle."""
    order: Literal["little", "big"] = "little"
    """Which byte comes first."""

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest value that can be written."""
        bits = 8 * self.size
        if self.is_signed:
            return -(1 << bits - 1), (1 << bits - 1) - 1
        if self.sign_bit is not None:
            return 1 - (1 << self.sign_bit), (1 << self.sign_bit) - 1
        return 0, (1 << bits) - 1

    def encode(self, value: int) -> bytes:
        """Give the bytes of `value`; raise `ConfigError` when it does not fit."""
        smallest, largest = self.bounds
        if not smallest <= value <= largest:
            raise ConfigError(f"{self.name} takes {smallest} to {largest}, got {value}.")
        raw = value
        if self.sign_bit is not None and value < 0:
            raw = -value | 1 << self.sign_bit
        return raw.to_bytes(self.size, self.order, signed=self.is_signed)

    def decode(self, data: bytes) -> int:
        """Give the value that `data` holds."""
        raw = int.from_bytes(data, self.order, signed=self.is_signed)
        if self.sign_bit is None or not raw >> self.sign_bit & 1:
            return raw
        return -(raw & (1 << self.sign_bit) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a bus must know of a kind of motor."""

    number: int
    """What it answers when asked for its model."""
    table: Mapping[str, Register]
    resolution: int = 4096
    """Ticks in a turn."""
    full_load: int = 1000
    """What its register of load or current shows at full effort."""


def find(table: Mapping[str, Register], name: str) -> Register:
    """Look up a register; raise `NotFound` with the nearest names."""
    if name not in table:
        raise NotFound("register", name, table)
    return table[name]
