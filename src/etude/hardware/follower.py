"""An arm that is driven, with its cameras: a robot."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from etude.core.errors import ConfigError, DeviceError, MotorSilent
from etude.core.frame import ACTION, STATE, Frame
from etude.core.spec import Specs
from etude.hardware import cameras
from etude.hardware.arm import Arm
from etude.hardware.arm_config import FollowerConfig
from etude.hardware.arm_health import ArmHealth, Grade
from etude.hardware.arm_kind import ArmKind
from etude.hardware.cameras.camera_set import CameraSet
from etude.hardware.gate import Gate
from etude.hardware.guardian import Guardian
from etude.hardware.health import Health
from etude.hardware.lowering import lower
from etude.hardware.table_plane import table_under


class Follower:
    """Joints in degrees or shares of their range, the gripper 0 (closed) to 100 (open), and cameras.

    Every action passes the safety gate; what it gives is what was commanded.
    """

    def __init__(self, kind: ArmKind, config: FollowerConfig) -> None:
        self.kind, self.uses_degrees, self.name = kind, config.use_degrees, kind.name
        self._config = config
        self._max_reach = _max_reach(kind, config)
        _check_motors(kind, "rest_pose", config.rest_pose or {})
        self.arm = Arm(kind, config, use_degrees=config.use_degrees)
        self.scene, self._clock = self.arm.scene, self.arm.clock
        self._cameras = CameraSet(_cameras(config, is_simulated=self.scene is not None))
        self.action = self.arm.spec
        self.observation: Specs = {STATE: self.action, **self._cameras.specs}
        self.clipped: tuple[str, ...] = ()
        """Why the last applied action is another than the one asked for."""
        self.events: tuple[str, ...] = ()
        """What went wrong since the observation before the last."""
        self.camera_times: dict[str, float] = {}
        self._limp_by = self._tripped_by = self._unseen = ""
        self._is_up = self._is_cut_off = False
        self._silent: set[str] = set()
        self._doubtful: set[str] = set()
        self._reconnects = 0
        self._open: ExitStack | None = None

    def connect(self) -> None:
        """Open the port, check and set up the motors, and hold the arm where it is."""
        if self._open:
            return
        with ExitStack() as opened:
            opened.callback(self.arm.disconnect)
            self.arm.connect()
            self._gate = self._make_gate()
            self._health = ArmHealth(self.kind, self.arm.bus)
            opened.callback(self._cameras.disconnect)
            self._cameras.connect()
            self.arm.release()
            self.arm.configure()
            self._limp_by, self._tripped_by, self._is_cut_off = "", "", False
            self._silent, self._doubtful, self.events = set(), set(), ()
            self._reconnects = self.arm.bus.reconnects
            if guardian := self._guardian():  # from before the torque is on until after it is off
                opened.callback(guardian.leave)
                guardian.stand_by()
            if self._config.disable_torque_on_disconnect:
                opened.callback(self._let_go)
            self.arm.hold()
            self._gate.start(self.arm.measure(), self._clock.now())
            self._num_resets = self.scene.num_resets if self.scene else 0
            self._open, self._is_up = opened.pop_all(), True

    def observe(self) -> Frame:
        """Read the joints, then the cameras."""
        self._connected()
        with self._in_touch():
            state, now = self.arm.measure(), self._clock.now()
        self._see(state, now)
        self.events = (*self._regain(), *self._judge(now))
        if not self._limp_by and self._gate.is_stale(now):
            self._command(self._gate.hold(now))
        pictures = self._cameras.read()
        self.camera_times = self._cameras.times
        return {STATE: state} | pictures

    def apply(self, action: np.ndarray) -> np.ndarray:
        """Command the joints through the safety gate; give back what was commanded, float32 (joint,)."""
        self._connected()
        self.action.check(ACTION, action)
        if self._limp_by:
            self.clipped = (f"the arm is limp: {self._limp_by}",)
            return self._gate.measured.astype(np.float32)
        applied, self.clipped = self._gate.admit(action, self._clock.now())
        self._command(applied)
        return applied

    def health(self) -> Health:
        """Tell how motors, wire and cameras are doing, as last heard."""
        if not self._open:
            return Health()
        halted = self._limp_by or self._gate.stopped_by
        state = (f"The arm {'is limp' if self._limp_by else 'holds still'}: {halted}.",) if halted else ()
        blind = (self._unseen,) if self._unseen else ()
        return Health(
            motors=dict(self._health.vitals),
            tallies=self.arm.bus.tallies,
            cameras=self._cameras.health(),
            warnings=(*state, *self._health.warnings(), *blind),
        )

    def stop(self, why: str = "you asked for it") -> None:
        """Hold the arm still, whatever it is told, until `resume`."""
        self._connected()
        self._tripped_by = ""  # from now on only a person lets it go on
        self._gate.stop(why)
        if not self._limp_by:  # a goal would switch the torque on
            self._command(self._gate.hold(self._clock.now()))

    def limp(self, why: str = "you asked for it") -> None:
        """Switch the torque off until `resume`; the arm falls unless it rests."""
        self._connected()
        self._limp_by = why
        self.arm.release()

    def resume(self) -> None:
        """Let the arm move again after `stop` or `limp`, gently at first."""
        self._connected()
        if self._limp_by:
            self._limp_by = ""
            self.arm.hold()
            self._gate.start(self.arm.measure(), self._clock.now())
        self._gate.resume(self._clock.now())

    def disconnect(self) -> None:
        """Bring the arm to rest and let it go unless told otherwise, and close everything; harmless when not connected.

        Whatever goes wrong on the way, or a second Ctrl-C, the motors are released all the same.
        """
        opened, self._open = self._open, None
        if opened:
            opened.close()

    def _command(self, admitted: np.ndarray) -> None:
        """Send what the gate admitted; a motor that is not heard may be without power, and a goal would wake it up."""
        with self._in_touch():
            self.arm.command(admitted, but=self._doubtful | self._silent)

    def _see(self, state: np.ndarray, now: float) -> None:
        """Show the gate where the joints are; a scene that was set again may show it the very pose of before."""
        if self.scene and self.scene.num_resets != self._num_resets:
            self._num_resets = self.scene.num_resets
            self._gate.start(state, now)
        self._gate.see(state, now)

    def _connected(self) -> None:
        if not self._open:
            raise DeviceError(f"The arm on {self._config.port} is not connected. Call connect() first.")

    @contextmanager
    def _in_touch(self) -> Generator[None]:
        """Remember when the line to the arm is gone for good, and say what that means."""
        try:
            yield
        except MotorSilent:
            raise
        except DeviceError as problem:
            self._is_cut_off = True
            raise DeviceError(f"{problem} The arm still holds: support it, and switch its power off.") from problem

    def _regain(self) -> list[str]:
        """Say what was not heard; motors that are back and had lost their power are set up, and the arm starts anew."""
        silent, reconnects = self._health.silent(), self.arm.bus.reconnects
        said = [f"Motor '{motor}' did not answer; its position is an earlier one." for motor in sorted(silent)]
        if was_unplugged := reconnects > self._reconnects:
            said.append("The cable was unplugged and is back.")
        self._doubtful |= set(self.kind.motors) if was_unplugged else self._silent - silent
        self._silent, self._reconnects = silent, reconnects
        if self._limp_by:
            return said
        found = [word for motor in sorted(self._doubtful - silent) for word in self._check_power(motor)]
        if was_unplugged or found:
            self._gate.start(self.arm.measure(), self._clock.now())
        return said + found

    def _check_power(self, motor: str) -> list[str]:
        """Set `motor` up again if it lost its power; it stays in doubt, and gets no goals, until that is known."""
        try:
            had_lost_it = self.arm.revive(motor)
        except DeviceError as problem:
            return [f"Motor '{motor}' is back, but gets no goals yet. {problem}"]
        self._doubtful.discard(motor)
        return [f"Motor '{motor}' had lost its power."] if had_lost_it else []

    def _judge(self, now: float) -> list[str]:
        """Ask a motor how it feels, and hold or let go where the motors stand no more."""
        self._health.ask(now)
        grade, why = self._health.verdict()
        if grade is Grade.LIMP and not self._limp_by:
            self.limp(why)
            return [f"The arm went limp: {why}."]
        return self._trip(grade, why)

    def _make_gate(self) -> Gate:
        table = table_under(self.arm, self._config.table_height_m)
        self._unseen = table if isinstance(table, str) else ""
        return Gate(
            self.action.names,
            self.arm.limits(),
            max_reach=self._max_reach,
            max_speed=self._config.max_speed,
            stale_s=self._config.stale_s,
            table=None if isinstance(table, str) else table,
        )

    def _trip(self, grade: Grade, why: str) -> list[str]:
        """Hold still while the motors ask for it, and go on gently when they are well again."""
        if grade is Grade.MOVE:
            if self._tripped_by and self._gate.stopped_by == self._tripped_by:
                self._gate.resume(self._clock.now())
            self._tripped_by = ""
            return []
        if not self._gate.stopped_by:
            self._gate.stop(why)
            self._tripped_by = why
        return [f"The arm holds still: {self._gate.stopped_by}."]

    def _rest(self) -> dict[str, int]:
        return self.arm.rest_ticks(self._config.rest_pose)

    def _guardian(self) -> Guardian | None:
        """Give the guardian that a real arm needs which is to be let go somewhere; elsewhere it would just fall."""
        rest, config = self._rest(), self._config
        is_needed = config.guardian and config.disable_torque_on_disconnect and self.scene is None
        return Guardian(self.kind, config.port, rest) if is_needed and rest else None

    def _let_go(self) -> None:
        """Lower the arm if that is safe, and release it in any case that it can be reached."""
        was_up, self._is_up = self._is_up, False
        if self._is_cut_off:
            return
        is_well = was_up and not self._limp_by and self._health.verdict()[0] is Grade.MOVE
        try:
            if is_well and self.scene is None:
                lower(self.arm.bus, self._rest(), self._clock)
        except DeviceError:
            pass  # releasing meets the same trouble, and says so
        finally:
            try:
                self.arm.release()
            except KeyboardInterrupt:  # who is in such a hurry wants no motor to stay stiff
                self.arm.release()
                raise


def _max_reach(kind: ArmKind, config: FollowerConfig) -> np.ndarray:
    """Give `max_relative_target` by joint, infinite where there is none."""
    given = config.max_relative_target
    by_motor = given if isinstance(given, dict) else dict.fromkeys(kind.motors, np.inf if given is None else given)
    _check_motors(kind, "max_relative_target", by_motor)
    if any(reach <= 0 for reach in by_motor.values()):
        raise ConfigError(f"max_relative_target should be positive, got {given}.")
    return np.array([by_motor.get(motor, np.inf) for motor in kind.motors])


def _check_motors(kind: ArmKind, name: str, given: Mapping[str, float]) -> None:
    if unknown := [motor for motor in given if motor not in kind.motors]:
        raise ConfigError(f"{name} names {', '.join(unknown)}; the motors are {', '.join(kind.motors)}.")


def _cameras(config: FollowerConfig, *, is_simulated: bool) -> dict[str, Any]:
    if config.cameras is not None or not is_simulated or config.port != "sim":
        return config.cameras or {}
    return {view: cameras.config("sim")(view=view, width=96, height=96) for view in ("front", "wrist")}
