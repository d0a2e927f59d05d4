"""The memory of a simulated Dynamixel: what survives a restart, and what a host may write where and when."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from etude.hardware.buses.dynamixel.registers import MAX_OFFSET, X_SERIES
from etude.sim.servos.dynamixel.models import Mode, Model

SIZE = 252
_FIRST_IN_RAM = X_SERIES["Torque_Enable"].address
_LAST = X_SERIES["Present_Temperature"].address
_MOST_TURNS = 1_048_575
_WHOLE_TURN = 4095


class Refused(Exception):
    """Tells the error number that the status carries."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Error(IntEnum):
    """Error numbers of a status."""

    RESULT = 1
    INSTRUCTION = 2
    CRC = 3
    RANGE = 4
    LENGTH = 5
    LIMIT = 6
    ACCESS = 7


_RANGES = {
    "ID": (0, 252),
    "Baud_Rate": (0, 7),
    "Return_Delay_Time": (0, 254),
    "Homing_Offset": (-MAX_OFFSET, MAX_OFFSET),
    "Temperature_Limit": (0, 100),
    "PWM_Limit": (0, 885),
    "Max_Position_Limit": (0, _WHOLE_TURN),
    "Min_Position_Limit": (0, _WHOLE_TURN),
    "Torque_Enable": (0, 1),
    "LED": (0, 1),
    "Status_Return_Level": (0, 2),
    "Profile_Velocity": (0, 32767),
    "Profile_Acceleration": (0, 32767),
}
_GOALS: dict[str, Callable[[Memory], tuple[int, int]]] = {
    "Goal_PWM": lambda memory: memory.within("PWM_Limit"),
    "Goal_Current": lambda memory: memory.within("Current_Limit"),
    "Goal_Velocity": lambda memory: memory.within("Velocity_Limit"),
    "Goal_Position": lambda memory: memory.goal_range(),
}
"""What a goal must lie in, which depends on other registers."""


class Memory:
    """The bytes of one servo; those below Torque_Enable are kept without power, and locked while the torque is on."""

    def __init__(self, servo_id: int, model: Model) -> None:
        self._model, self._bytes = model, bytearray(SIZE)
        self.factory_reset()
        self.set("ID", servo_id)

    def get(self, name: str) -> int:
        """Read a register."""
        item = X_SERIES[name]
        return item.decode(bytes(self._bytes[item.address : item.address + item.size]))

    def set(self, name: str, value: int) -> None:
        """Write a register as the firmware itself does, whatever its access rules."""
        item = X_SERIES[name]
        low, high = item.bounds
        self._bytes[item.address : item.address + item.size] = item.encode(min(max(value, low), high))

    def read(self, address: int, size: int) -> bytes:
        """Give the bytes that a host asked for."""
        if address > _LAST or address + size > SIZE:
            raise Refused(Error.ACCESS)
        return bytes(self._bytes[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        """Take bytes from a host; raise `Refused` when one of the registers they belong to may not hold them."""
        if not data:
            raise Refused(Error.LENGTH)
        if address + len(data) > SIZE or (address < _FIRST_IN_RAM and self.get("Torque_Enable")):
            raise Refused(Error.ACCESS)
        before = bytes(self._bytes)
        self._bytes[address : address + len(data)] = data
        try:
            self._check(address, len(data))
        except Refused:
            self._bytes[:] = before
            raise

    def within(self, limit: str) -> tuple[int, int]:
        """Give the range from minus to plus a limit."""
        return -self.get(limit), self.get(limit)

    def goal_range(self) -> tuple[int, int]:
        """Give where the goal may lie [ticks]."""
        if self.get("Operating_Mode") == Mode.POSITION:
            return self.get("Min_Position_Limit"), self.get("Max_Position_Limit")
        return -_MOST_TURNS, _MOST_TURNS

    def factory_reset(self, *, keep: tuple[str, ...] = ()) -> None:
        """Write what the factory wrote, but for the registers to `keep`."""
        kept = {name: self.get(name) for name in keep}
        for item in X_SERIES.values():
            self.set(item.name, item.factory)
        for name, value in (dict(self._model.registers) | kept).items():
            self.set(name, value)
        self.power_on()

    def power_on(self) -> None:
        """Forget the RAM."""
        for item in X_SERIES.values():
            if item.address >= _FIRST_IN_RAM:
                self.set(item.name, self._model.registers.get(item.name, item.factory))
        self.set("Goal_PWM", self.get("PWM_Limit"))
        self.set("Goal_Current", self.get("Current_Limit"))

    def _check(self, address: int, size: int) -> None:
        touched = [
            item for item in X_SERIES.values() if item.address < address + size and address < item.address + item.size
        ]
        if not touched or any(item.is_read_only for item in touched):
            raise Refused(Error.ACCESS)
        for item in touched:
            value = self.get(item.name)
            low, high = _RANGES.get(item.name, item.bounds)
            if not low <= value <= high or (item.name == "Operating_Mode" and value not in self._model.modes):
                raise Refused(Error.RANGE)
            low, high = _GOALS.get(item.name, lambda _, ends=(low, high): ends)(self)
            if not low <= value <= high:
                raise Refused(Error.LIMIT)
