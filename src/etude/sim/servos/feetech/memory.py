"""The memory of a simulated Feetech servo: what outlives a power cycle, what a host may write, what the factory did."""

from __future__ import annotations

from collections.abc import Mapping

from etude.hardware.buses.feetech.registers import STS3215, register
from etude.hardware.buses.register import Register

SIZE = 256
_ORDER_AT = 2
"""Holds 1 where the high byte of a number comes first."""
_ID = register("ID").address
_FIRST_VOLATILE = register("Torque_Enable").address
_FIRST_PRESENT = register("Present_Position").address
"""What lies between these two, in every table, is neither kept nor read-only."""


class Memory:
    """The bytes of one servo: a working copy, and the EEPROM image it starts from at power-on.

    `registers` are the values that its factory wrote otherwise than `table` says.
    """

    def __init__(
        self,
        servo_id: int,
        registers: Mapping[str, int] | None = None,
        table: Mapping[str, Register] = STS3215,
    ) -> None:
        self._table, self._lock = table, table["Lock"].address
        self._read_only = {place for item in table.values() if item.is_read_only for place in _places(item)}
        self._first_of_factory = min(
            item.address for item in table.values() if item.is_kept and item.address > _FIRST_PRESENT
        )
        self._working = bytearray(SIZE)
        self._working[_ORDER_AT] = table["Goal_Position"].order == "big"
        for item in table.values():
            self.set(item.name, item.factory)
        for name, value in (registers or {}).items():
            self.set(name, value)
        self.set("ID", servo_id)
        self._image = bytes(self._working)
        self._backup = self._image

    def get(self, name: str) -> int:
        """Read a register."""
        item = self._table[name]
        if item.size == 1:  # none of them has a sign, and they are read for every packet
            return self._working[item.address]
        return item.decode(bytes(self._working[item.address : item.address + item.size]))

    def set(self, name: str, value: int) -> None:
        """Write a register as the firmware itself does, whatever its access rules."""
        item = self._table[name]
        self._working[item.address : item.address + item.size] = item.encode(value)

    def read(self, address: int, size: int) -> bytes:
        """Give the bytes that a host asked for; beyond the end there are zeros."""
        return bytes(self._working[address : address + size]).ljust(size, b"\0")

    def write(self, address: int, data: bytes) -> None:
        """Take bytes from a host. Read-only ones stay; EEPROM ones outlive a power cycle only while Lock is 0."""
        end = address + len(data)
        if address >= _FIRST_VOLATILE and end <= _FIRST_PRESENT:  # goals, which come many times a second
            self._working[address:end] = data
            return
        kept = bytearray(self._image)
        is_unlocked = not self._working[self._lock]
        for place, value in enumerate(data, address):
            if place >= SIZE or place in self._read_only:
                continue
            self._working[place] = value
            if is_unlocked and self._is_kept(place):
                kept[place] = value
        self._image = bytes(kept)

    def power_on(self) -> None:
        """Start again from the EEPROM image: torque off, locked, torque limit as in the EEPROM."""
        self._working[:] = self._image
        if "Torque_Limit" in self._table:
            self.set("Torque_Limit", self.get("Max_Torque_Limit"))

    def save_backup(self) -> None:
        """Remember the EEPROM as it is now; `recover` brings it back."""
        self._backup = bytes(self._working)

    def recover(self) -> None:
        """Bring back the backup, which is the factory's until one is saved; the id stays."""
        servo_id = self._working[_ID]
        for place in filter(self._is_kept, range(SIZE)):
            self._working[place] = self._backup[place]
        self._working[_ID] = servo_id
        self._keep_working_copy()

    def keep(self, name: str) -> None:
        """Make the present value of an EEPROM register outlive a power cycle, whatever Lock says."""
        item = self._table[name]
        kept = bytearray(self._image)
        kept[item.address : item.address + item.size] = self._working[item.address : item.address + item.size]
        self._image = bytes(kept)

    def _keep_working_copy(self) -> None:
        kept = bytearray(self._image)
        for place in filter(self._is_kept, range(SIZE)):
            kept[place] = self._working[place]
        self._image = bytes(kept)

    def _is_kept(self, address: int) -> bool:
        """Whether a byte belongs to the EEPROM, below Torque_Enable, or to the factory's area."""
        return address < _FIRST_VOLATILE or address >= self._first_of_factory


def _places(item: Register) -> range:
    return range(item.address, item.address + item.size)
