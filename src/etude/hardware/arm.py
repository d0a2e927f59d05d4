"""An arm as its driver knows it: motors on a bus, found well and calibrated, told in units."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from etude.core.clock import RealClock
from etude.core.errors import DeviceError
from etude.core.spec import Spec
from etude.hardware import arm_calibration, buses, unfinished
from etude.hardware.arm_config import ArmConfig
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.calibration import Calibration, Norm, Scale

_RELEASES = 5
"""How often a motor is told to let go before it counts as out of reach: on a noisy wire, no arm should stay stiff."""

_NEAR = 16
"""Beyond its first turn by less than this part of one, a joint is taken to be at the end of its range."""


class Arm:
    """Motors that are asked where they are and told where to go, in degrees or shares of their range.

    Without `use_degrees` joints have -100 to 100 over their range; the gripper has 0 to 100 either way.
    """

    def __init__(self, kind: ArmKind, config: ArmConfig, *, use_degrees: bool) -> None:
        self.kind = kind
        self._config, self._use_degrees = config, use_degrees
        chosen = buses.config(kind.bus)(
            port=config.port,
            baud_rate=kind.baud_rate,
            is_leader=kind.is_leader,
            retries=config.num_read_retries,
            **({"body": kind.body} if kind.body else {}),
        )
        self.bus: MotorBus = buses.build(chosen, kind.motors)
        self.scene = self.bus.line.scene
        self.clock = self.scene.clock if self.scene else RealClock()
        self.spec = Spec(shape=(len(kind.motors),), names=tuple(f"{motor}.pos" for motor in kind.motors))

    def connect(self) -> None:
        """Open the port, make sure that the right motors answer, and find their calibration."""
        self.bus.open()
        arm_calibration.greet(self.bus)
        unfinished.mend(self.kind, self.bus, self.clock)
        self.calibration = arm_calibration.find(self.kind, self.bus, self._config, is_simulated=self.scene is not None)
        self._in_degrees, self._in_shares = self._scaled(Norm.DEGREES), self._scaled(Norm.RANGE_M100_100)
        self._scale = self._in_degrees if self._use_degrees else self._in_shares

    def disconnect(self) -> None:
        """Close the port; harmless when it is not open."""
        self.bus.close()

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the least and greatest of what each joint may be told, float32 (joint,)."""
        return self._scale.limits()

    def configure(self, motors: Iterable[str] | None = None) -> None:
        """Set the motors up for their make, with the torque off; what is right already is not written again.

        Raise `DeviceError` when one of them has miscounted its turns.
        """
        chosen = tuple(self.kind.motors if motors is None else motors)
        for motor in chosen:
            wanted = {**self.kind.settings.get("", {}), **self.kind.settings.get(motor, {})}
            held = {name: self.bus.read(name, motor) for name in (*wanted, *self.kind.cleared_bits)}
            wanted |= {name: held[name] & ~bits for name, bits in self.kind.cleared_bits.items()}
            for name, value in wanted.items():
                if held[name] != value:
                    self.bus.write(name, motor, value)

        self._check_turns([motor for motor in chosen if motor not in self.kind.endless])

    def _check_turns(self, motors: list[str]) -> None:
        """A motor that goes beyond one turn begins to count where it gets its power, which may be a turn beside."""
        for motor, position in (self.bus.sync_read("Present_Position", motors) if motors else {}).items():
            turn = self.bus.resolution(motor)
            if not -turn // _NEAR <= position < turn + turn // _NEAR:
                raise DeviceError(
                    f"Motor '{motor}' on {self.bus.line.name} reads {position}, which is a turn beside its range. "
                    "Bring its joint to the middle of its range, and switch the power off and on."
                )

    def measure(self) -> np.ndarray:
        """Give where the joints are, float32 (joint,); raise `DeviceError` when motors are silent for several ticks."""
        ticks = self.bus.poll("Present_Position")
        return self._scale.to_units(np.array(list(ticks.values()))).astype(np.float32)

    def command(self, goal: np.ndarray, *, but: Collection[str] = ()) -> None:
        """Send the joints to `goal` (joint,), `but` some motors."""
        ticks = self.ticks(goal)
        self.bus.sync_write("Goal_Position", {motor: ticks[motor] for motor in ticks if motor not in but})

    def ticks(self, values: np.ndarray) -> dict[str, int]:
        """Give `values` (joint,) in ticks, by motor."""
        return dict(zip(self.kind.motors, self._scale.to_ticks(values).tolist(), strict=True))

    def degrees(self, values: np.ndarray) -> np.ndarray:
        """Give `values` (joint,) in degrees, but for the gripper, whatever this arm is told in."""
        return values if self._use_degrees else self._in_degrees.to_units(self._scale.to_ticks(values))

    def rest_ticks(self, chosen: dict[str, float] | None) -> dict[str, int]:
        """Give the pose in which the arm may be let go, in ticks by motor: the one chosen, else its make's."""
        pose, scale = (self.kind.rest, self._in_shares) if chosen is None else (chosen, self._scale)
        wanted = np.array([pose.get(motor, 0.0) for motor in self.kind.motors])
        ticks = scale.to_ticks(np.clip(wanted, *scale.limits())).tolist()
        every = dict(zip(self.kind.motors, ticks, strict=True))
        return {motor: every[motor] for motor in pose}

    def hold(self, motors: Iterable[str] | None = None) -> None:
        """Switch the torque on where the joints are now."""
        chosen = tuple(self.kind.motors if motors is None else motors)
        _raise_first(_each(chosen, self._hold))

    def release(self) -> None:
        """Switch the torque off in every motor that can be reached; raise `DeviceError` for those that cannot."""
        problems = _each(self.kind.motors, self._let_go)
        for _ in range(_RELEASES - 1):
            problems = _each(problems, self._let_go)
        _raise_first(problems)

    def _hold(self, motor: str) -> None:
        # One that knows its goal says so; where a goal gets lost, a motor jumps to the one it had before.
        self.bus.write("Goal_Position", motor, self.bus.sync_read("Present_Position", [motor])[motor])
        self.bus.write("Torque_Enable", motor, 1)

    def _let_go(self, motor: str) -> None:
        self.bus.write("Torque_Enable", motor, 0, despite_faults=True)

    def revive(self, motor: str) -> bool:
        """Set up and hold `motor` again if it has lost its power meanwhile; tell whether it had."""
        if self.bus.sync_read("Torque_Enable", [motor])[motor]:
            return False
        self.configure([motor])
        self.hold([motor])
        return True

    def _scaled(self, norm: Norm) -> Scale:
        """Give the scale on which joints are told in `norm`."""
        calibration = self.calibration if self.kind.drive_modes is None else _unturned(self.calibration)
        return Scale(
            calibration, [Norm.RANGE_0_100 if name == self.kind.gripper else norm for name in self.kind.motors]
        )


def _unturned(calibration: Calibration) -> Calibration:
    """Leave out that motors are turned round, since they see to it themselves."""
    return {motor: replace(values, drive_mode=0) for motor, values in calibration.items()}


def _each(motors: Iterable[str], do: Callable[[str], None]) -> dict[str, DeviceError]:
    """Do it with every motor; give what went wrong, by motor."""
    problems: dict[str, DeviceError] = {}
    for motor in motors:
        try:
            do(motor)
        except DeviceError as problem:
            problems[motor] = problem
    return problems


def _raise_first(problems: Mapping[str, DeviceError]) -> None:
    for problem in problems.values():
        raise problem
