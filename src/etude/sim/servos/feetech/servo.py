"""A simulated STS3215: the firmware that answers on the wire and drives the joint.

Sources: Feetech's FT-SCS protocol and STS memory table (ftservo wiki).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from etude.hardware.buses.feetech.packet import BROADCAST, MAX_PARAMS, Instruction, Packet, encode
from etude.hardware.buses.feetech.registers import BAUD_RATES, STS3215, TICKS_PER_TURN, Register
from etude.sim.servos.feetech.drive import TICKS_PER_RAD, VOLTAGE, Drive, Settings
from etude.sim.servos.feetech.memory import Memory
from etude.sim.servos.feetech.models import C001, Model

MIDDLE = TICKS_PER_TURN // 2
_GOAL = STS3215["Goal_Position"].address
_ENABLE = STS3215["Torque_Enable"].address
_FIRST_PRESENT = STS3215["Present_Position"].address
_AFTER_GOAL = STS3215["Goal_Time"].address
_CALIBRATE_HERE = 128
_LARGEST_OFFSET = 2047
_AMPERES = 0.0065
"""Unit of Present_Current."""
_DELAY_S = 2e-6
"""Unit of Return_Delay_Time."""
_RATES = {value: rate for rate, value in BAUD_RATES.items()}


class Sts3215:
    """One servo: bytes in and out by `answer`, physics by `torque`.

    `center_rad` is the joint angle at which the encoder shows 2048; `mounting_offset` [ticks] is how far the horn sits
    beside that on its spline. A servo with `range_rad` is calibrated: it holds the offset and the position limits of
    that range. `model` says what is inside, if not what usually is. With `goal_enables_torque` a written goal switches
    the torque on, as the firmware does.
    """

    table: ClassVar[Mapping[str, Register]] = STS3215
    inside: ClassVar[Model] = C001
    """Its motor and gears, where nothing else is said."""
    middle: ClassVar[int] = MIDDLE
    ticks_per_rad: ClassVar[float] = TICKS_PER_RAD
    understands: ClassVar[frozenset[int]] = frozenset(Instruction)
    """Instructions to which it listens."""
    answers_roll_calls: ClassVar[bool] = True
    """Whether it answers a ping to everybody."""
    _waiting: ClassVar[str] = "Async_Write_Flag"

    def __init__(
        self,
        servo_id: int,
        *,
        mounting_offset: int = 0,
        center_rad: float = 0.0,
        range_rad: tuple[float, float] | None = None,
        model: Model | None = None,
        goal_enables_torque: bool = True,
    ) -> None:
        self.model = model or self.inside
        self.memory = Memory(servo_id, self.model.registers, self.table)
        if range_rad:
            low, high = (self.middle + round((end - center_rad) * self.ticks_per_rad) for end in range_rad)
            self._know_range(low, high, mounting_offset)
        self.drive = self._driven(self.middle - center_rad * self.ticks_per_rad + mounting_offset)
        self.is_silent = False
        """Set it to pull the plug: the servo neither listens nor answers."""
        self._goal_enables_torque = goal_enables_torque
        self._pending: tuple[int, bytes] | None = None
        self._asked: dict[tuple[int, int], list[tuple[str, Callable[[Sts3215], int]]]] = {}

    @property
    def id(self) -> int:
        """The id it listens to."""
        return self.memory.get("ID")

    @property
    def baud_rate(self) -> int:
        """The rate at which it listens [bits/s]; 0 for a value that means none."""
        return _RATES.get(self.memory.get("Baud_Rate"), 0)

    @property
    def delay_s(self) -> float:
        """How long it waits before it answers."""
        return self.memory.get("Return_Delay_Time") * _DELAY_S

    def torque(self, position_rad: float, velocity_rad_s: float, dt: float) -> float:
        """Give the motor's torque [Nm] for the next `dt` seconds, with the joint where it is now."""
        return self.drive.torque(position_rad, velocity_rad_s, dt)

    def settle(self, position_rad: float) -> None:
        """Let the encoder see where the joint was put, and hold it there."""
        self.torque(position_rad, 0.0, 0.0)
        self.drive.hold()

    @property
    def resists(self) -> bool:
        """Whether the motor works against whoever turns the joint."""
        return self.drive.settings.is_driving

    def power_cycle(self) -> None:
        """Switch off and on again: what was written under Lock is forgotten, the torque is off."""
        self.memory.power_on()
        self._pending = None
        self._configure()
        self.drive.hold()

    def answer(self, packet: Packet) -> bytes:
        """Obey a packet that is meant for this servo or for all; give the reply, which may be nothing."""
        servo_id = self.id
        if packet.code not in self.understands:
            return b""
        try:
            data = self._obey(packet)
        except (IndexError, ValueError):
            return b""  # too few parameters: real firmware stays silent too
        is_roll_call = packet.code == Instruction.PING and self.answers_roll_calls
        if data is None or (packet.id == BROADCAST and not is_roll_call):
            return b""
        if not self.memory.get("Response_Status_Level") and packet.code not in (Instruction.PING, Instruction.READ):
            return b""
        return self.status(data, servo_id)

    def status(self, data: bytes = b"", servo_id: int | None = None) -> bytes:
        """Give a status packet that carries `data` and the present faults; nothing when it would be too long."""
        if len(data) > MAX_PARAMS:
            return b""
        return encode(Packet(self.id if servo_id is None else servo_id, self.faults, data))

    def read(self, address: int, size: int) -> bytes:
        """Read memory, with fresh measurements where they are asked for."""
        end = address + size
        if end > _FIRST_PRESENT:
            if (address, size) not in self._asked:
                self._asked[address, size] = [
                    (item.name, measure)
                    for item, measure in self._measures()
                    if item.address < end and address < item.address + item.size
                ]
            for name, measure in self._asked[address, size]:
                self.memory.set(name, measure(self))
        return self.memory.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        """Write memory and act on it."""
        end = address + len(data)
        is_torque = address <= _ENABLE < end
        if is_torque and data[_ENABLE - address] == _CALIBRATE_HERE and Instruction.CALIBRATE in self.understands:
            self._calibrate(MIDDLE)
            return
        self.memory.write(address, data)
        has_goal = address <= _GOAL < end
        if has_goal and self._goal_enables_torque and not self.memory.get("Torque_Enable"):
            self.memory.set("Torque_Enable", 1)
            self._configure()
        elif not (has_goal and address == _GOAL and end == _AFTER_GOAL):
            self._configure()
        if has_goal:
            self.drive.go(self.memory.get("Goal_Position"))

    def _obey(self, packet: Packet) -> bytes | None:
        """Give the data of the reply, or none when there is no reply."""
        params = packet.params
        match packet.code:
            case Instruction.PING | Instruction.RESET:
                return b""
            case Instruction.READ:
                return self.read(params[0], params[1])
            case Instruction.WRITE:
                self.write(params[0], params[1:])
            case Instruction.REG_WRITE:
                self._wait(params[0], params[1:])
            case Instruction.ACTION:
                self._act()
            case _:
                return self._maintain(packet)
        return b""

    def _maintain(self, packet: Packet) -> bytes | None:
        match packet.code:
            case Instruction.CALIBRATE:
                self._calibrate(int.from_bytes(packet.params, "little") if packet.params else MIDDLE)
            case Instruction.RECOVERY if not self.memory.get("Lock"):
                self.memory.recover()
                self._configure()
            case Instruction.BACKUP if not self.memory.get("Lock"):
                self.memory.save_backup()
            case Instruction.RECOVERY | Instruction.BACKUP:
                pass  # locked: acknowledged and ignored
            case Instruction.RESTART:
                self.power_cycle()
                return None
            case _:
                return None
        return b""

    def _wait(self, address: int, data: bytes) -> None:
        self._pending = (address, data)
        self.memory.set(self._waiting, 1)

    def _act(self) -> None:
        pending, self._pending = self._pending, None
        self.memory.set(self._waiting, 0)
        if pending:
            self.write(*pending)

    def _calibrate(self, value: int) -> None:
        """Choose the homing offset that makes the present position read as `value`, and keep it."""
        encoder = self.drive.position + self.memory.get("Homing_Offset")
        offset = (encoder - value + MIDDLE) % TICKS_PER_TURN - MIDDLE
        self.memory.set("Homing_Offset", max(offset, -_LARGEST_OFFSET))
        self.memory.keep("Homing_Offset")
        self._configure()

    def _configure(self) -> None:
        """Let the drive know the registers; a servo that is switched on or off holds where it is."""
        was_driving, self.drive.settings = self.drive.settings.is_driving, self._settings()
        if self.drive.settings.is_driving != was_driving:
            self.drive.hold()

    def _know_range(self, low: int, high: int, mounting_offset: int) -> None:
        """Hold what a calibration leaves behind."""
        for name, value in (
            ("Homing_Offset", mounting_offset),
            ("Min_Position_Limit", low),
            ("Max_Position_Limit", high),
        ):
            self.memory.set(name, value)
            self.memory.keep(name)

    def _driven(self, tick_at_zero: float) -> Drive:
        return Drive(tick_at_zero, self._settings(), self.model)

    def _settings(self) -> Settings:
        return Settings.of(self.memory, self.model.stall_nm)

    def _measures(self) -> Measures:
        return _MEASURES

    @property
    def faults(self) -> int:
        """The fault bits that hold right now."""
        decivolts = round(self.drive.supply_v * 10)
        is_fed = self.memory.get("Min_Voltage_Limit") <= decivolts <= self.memory.get("Max_Voltage_Limit")
        return self.drive.faults | (0 if is_fed else VOLTAGE)


Measures = tuple[tuple[Register, Callable[[Sts3215], int]], ...]


def _bounded(value: float) -> int:
    """Round to what a register with a sign and 15 bits can hold."""
    return round(min(max(value, -32767), 32767))


_MEASURES: Measures = tuple(
    (STS3215[name], measure)
    for name, measure in {
        "Present_Position": lambda servo: _bounded(servo.drive.position),
        "Present_Velocity": lambda servo: _bounded(servo.drive.velocity * TICKS_PER_RAD),
        "Present_Load": lambda servo: round(servo.drive.duty * 1000),
        "Present_Voltage": lambda servo: round(servo.drive.supply_v * 10),
        "Present_Temperature": lambda servo: round(servo.drive.temperature_c),
        "Present_Current": lambda servo: round(abs(servo.drive.nm) / servo.model.kt / _AMPERES),
        "Status": lambda servo: servo.faults,
        "Moving": lambda servo: int(servo.drive.is_moving),
    }.items()
)
"""What is measured when it is read, and only then: a host asks for little, and often."""
