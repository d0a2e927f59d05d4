"""A simulated Dynamixel of the X series: the firmware that answers on the wire and drives the joint.

Source: ROBOTIS e-Manual, protocol 2.0 and the control tables of XL330 and XL430.
"""

from __future__ import annotations

from etude.hardware.buses.dynamixel.packet import BROADCAST, Instruction, Packet, encode
from etude.hardware.buses.dynamixel.registers import ALERT, BAUD_RATES, X_SERIES
from etude.sim.servos.dynamixel.drive import TICKS_PER_RAD, Drive, Settings
from etude.sim.servos.dynamixel.memory import Error, Memory, Refused
from etude.sim.servos.dynamixel.models import XL330_M288, Mode, Model
from etude.sim.servos.dynamixel.present import hardware_error, measure

MIDDLE = 2048
_CLEAR_TURNS = bytes((0x01, 0x44, 0x58, 0x4C, 0x22))
_DELAY_S = 2e-6
"""Unit of Return_Delay_Time."""
_WATCHDOG_S = 0.02
_WATCHDOG_BARKED = 255
_TORQUE_ON_BY_GOAL = 0x08
_RATES = {value: rate for rate, value in BAUD_RATES.items()}
_GOALS = tuple(X_SERIES[name] for name in ("Goal_PWM", "Goal_Current", "Goal_Velocity", "Goal_Position"))
_HARDWARE_ERROR_AT = X_SERIES["Hardware_Error_Status"].address
_GOAL_AT = X_SERIES["Goal_Position"].address


class XSeries:
    """One servo: bytes in and out by `answer`, physics by `torque`.

    `center_rad` is the joint angle at which the encoder shows 2048, and `mounting_offset` [ticks] how far the horn sits
    beside that; where it `is_turned`, the horn turns against the joint. `settings` are registers that somebody has set.
    """

    def __init__(
        self,
        servo_id: int,
        *,
        model: Model = XL330_M288,
        mounting_offset: int = 0,
        center_rad: float = 0.0,
        is_turned: bool = False,
        settings: dict[str, int] | None = None,
    ) -> None:
        self.model = model
        self.memory = Memory(servo_id, model)
        for name, value in (settings or {}).items():
            self.memory.set(name, value)
        self._way = -1 if is_turned else 1
        tick_at_zero = MIDDLE - self._way * center_rad * TICKS_PER_RAD + mounting_offset
        self.drive = Drive(tick_at_zero, Settings.of(self.memory, model), model)
        self.is_silent = False
        """Set it to pull the plug: the servo neither listens nor answers."""
        self._pending: tuple[int, bytes] | None = None
        self._heard_s = 0.0
        self._errors = 0
        self._hottest_c, self._patience_s = float(self.memory.get("Temperature_Limit")), 0.0

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

    @property
    def resists(self) -> bool:
        """Whether the motor works against whoever turns the joint."""
        return self.drive.settings.is_driving

    def hears(self, servo_id: int) -> bool:
        """Whether a packet to `servo_id` is meant for it: its id, its second one, or all."""
        return servo_id in (self.id, BROADCAST, self.memory.get("Secondary_ID"))

    def hear(self) -> None:
        """Notice that somebody speaks: the watchdog is content."""
        self._heard_s = self.drive.age_s

    def settle(self, position_rad: float) -> None:
        """Let the encoder see where the joint was put, in the encoder's first turn, and hold it there."""
        self.drive.torque(self._way * position_rad, 0.0, 0.0)
        self.drive.forget_turns()
        self._hold()

    def torque(self, position_rad: float, velocity_rad_s: float, dt: float) -> float:
        """Give the motor's torque [Nm] for the next `dt` seconds, with the joint where it is now."""
        drive, way = self.drive, self._way
        nm = way * drive.torque(way * position_rad, way * velocity_rad_s, dt)
        if drive.settings.is_driving:
            if drive.is_overloaded or drive.is_tripped or drive.temperature_c > self._hottest_c:
                self._shut_down()
            if self._patience_s and drive.age_s - self._heard_s > self._patience_s:
                self._bark()
        return nm

    def power_cycle(self) -> None:
        """Switch off and on again: the RAM is forgotten, the torque is off, turns are counted anew."""
        self.memory.power_on()
        self._pending, self._errors = None, 0
        self.drive.settings = Settings.of(self.memory, self.model)
        self.drive.forget_turns()
        self._hold()
        self._configure()

    def answer(self, packet: Packet) -> bytes:
        """Obey a packet that is meant for this servo or for all; give the reply, which may be nothing."""
        servo_id, level = self.id, self.memory.get("Status_Return_Level")
        self.hear()
        error, data = 0, b""
        try:
            data = self._obey(packet)
        except Refused as refused:
            error = refused.number
        except IndexError:
            error = Error.LENGTH
        is_ping = packet.code == Instruction.PING
        if (packet.id != servo_id and not (is_ping and packet.id == BROADCAST)) or data is None:
            return b""
        if not is_ping and (level == 0 or (level == 1 and packet.code != Instruction.READ)):
            return b""
        return self.status(data, error, servo_id)

    def status(self, data: bytes = b"", error: int = 0, servo_id: int | None = None) -> bytes:
        """Give a status packet."""
        return encode(Packet(self.id if servo_id is None else servo_id, Instruction.STATUS, self.body(data, error)))

    def body(self, data: bytes, error: int = 0) -> bytes:
        """Give what a status carries: the error byte, with its alert while there is a hardware error, and the data."""
        return bytes((error | (ALERT if self._hardware_error() else 0),)) + data

    def read(self, address: int, size: int) -> bytes:
        """Read memory, with fresh measurements."""
        measure(self.memory, self.drive, self.model, address, address + size)
        if address <= _HARDWARE_ERROR_AT < address + size:
            self.memory.set("Hardware_Error_Status", self._hardware_error())
        return self.memory.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        """Write memory and act on it; raise `Refused` where it may not be written."""
        memory, touched = self.memory, range(address, address + len(data))
        if memory.get("Bus_Watchdog") == _WATCHDOG_BARKED and any(goal.address in touched for goal in _GOALS):
            raise Refused(Error.RANGE)
        was_on = bool(memory.get("Torque_Enable"))
        memory.write(address, data)
        has_goal = _GOAL_AT in touched
        if has_goal and memory.get("Drive_Mode") & _TORQUE_ON_BY_GOAL:
            memory.set("Torque_Enable", 1)
        if self._errors and memory.get("Torque_Enable"):
            memory.set("Torque_Enable", 0)  # after a shutdown it stays limp until it is restarted
        goal = memory.get("Goal_Position")
        self._configure()
        if bool(memory.get("Torque_Enable")) != was_on:
            self._hold()
        if has_goal and self.drive.settings.is_driving:
            memory.set("Goal_Position", goal)
            self.drive.go(goal)

    def _obey(self, packet: Packet) -> bytes | None:
        """Give the data of the reply, or none when there is no reply."""
        params = packet.params
        match packet.code:
            case Instruction.PING:
                return self.memory.read(0, 2) + self.memory.read(6, 1)
            case Instruction.READ:
                return self.read(_word(params, 0), _word(params, 2))
            case Instruction.WRITE:
                self.write(_word(params, 0), params[2:])
            case Instruction.REG_WRITE:
                self._pending = (_word(params, 0), params[2:])
                self.memory.set("Registered_Instruction", 1)
            case Instruction.ACTION:
                self._act()
            case Instruction.STATUS:
                return None
            case _:
                return self._maintain(packet)
        return b""

    def _maintain(self, packet: Packet) -> bytes:
        match packet.code:
            case Instruction.FACTORY_RESET:
                kept: dict[int, tuple[str, ...]] = {0xFF: (), 0x01: ("ID",), 0x02: ("ID", "Baud_Rate")}
                if packet.params[0] not in kept or (packet.id == BROADCAST and packet.params[0] == 0xFF):
                    raise Refused(Error.RANGE)
                self.memory.factory_reset(keep=kept[packet.params[0]])
                self.power_cycle()
            case Instruction.REBOOT:
                self.power_cycle()
            case Instruction.CLEAR if packet.params == _CLEAR_TURNS:
                self.drive.forget_turns()
                self._hold()
            case Instruction.CLEAR:
                raise Refused(Error.RANGE)
            case _:
                raise Refused(Error.INSTRUCTION)
        return b""

    def _act(self) -> None:
        pending, self._pending = self._pending, None
        self.memory.set("Registered_Instruction", 0)
        if pending:
            self.write(*pending)

    def _hold(self) -> None:
        self.drive.hold()
        self.memory.set("Goal_Position", self.drive.position)

    def _configure(self) -> None:
        """Let the drive know the registers."""
        get, before = self.memory.get, self.drive.settings
        self.drive.settings = Settings.of(self.memory, self.model)
        if (before.mode, before.sign, before.homing) != (
            get("Operating_Mode"),
            self.drive.settings.sign,
            get("Homing_Offset"),
        ):
            self.drive.forget_turns()
            self._hold()
        self._hottest_c = float(get("Temperature_Limit"))
        watchdog = get("Bus_Watchdog")
        self._patience_s = watchdog * _WATCHDOG_S if watchdog != _WATCHDOG_BARKED else 0.0

    def _bark(self) -> None:
        """Stop, because nobody has spoken for too long; goals are refused until the watchdog is set to 0."""
        self.memory.set("Bus_Watchdog", _WATCHDOG_BARKED)
        if self.drive.settings.mode in (Mode.VELOCITY, Mode.CURRENT, Mode.PWM):
            for name in ("Goal_Velocity", "Goal_Current", "Goal_PWM"):
                self.memory.set(name, 0)
        self._configure()
        self._hold()

    def _hardware_error(self) -> int:
        return self._errors | hardware_error(self.memory, self.drive)

    def _shut_down(self) -> None:
        """Let go, where Shutdown says that such an error is a reason, until the next restart."""
        errors = self._hardware_error()
        if errors & self.memory.get("Shutdown"):
            self._errors = errors
            self.memory.set("Torque_Enable", 0)
            self._configure()
            self.drive.hold()


def _word(params: bytes, at: int) -> int:
    """Read two bytes; raise `IndexError` when they are not there."""
    return params[at] | params[at + 1] << 8
