"""What is known of an arm's make before one is connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etude.hardware.bus import Motor


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """What the motors of an arm stand: beyond the first of two numbers it holds still, beyond the second it lets go."""

    temperature_c: tuple[float, float] = (65.0, 72.0)
    voltage_v: tuple[float, float] = (4.5, 3.8)
    """Less than this is too weak."""
    load: float = 0.9
    """Share of its full effort at which a motor must not stay."""
    warm_c: float = 55.0
    """From here on a person is told."""


@dataclass(frozen=True, kw_only=True)
class ArmKind:
    """A make of arm: its motors, how they are set up, and what it is called elsewhere."""

    name: str
    """As LeRobot writes it into datasets and names the folder of calibration files, such as `so_follower`."""
    bus: str
    """The plugin that speaks to its motors, such as `feetech`."""
    motors: Mapping[str, Motor]
    """By name, in order."""
    baud_rate: int = 1_000_000
    gripper: str | None = "gripper"
    """The motor told in 0 (closed) to 100 (open)."""
    endless: frozenset[str] = frozenset()
    """Joints without mechanical stops; their range is a whole turn."""
    settings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Registers to set with the torque off, by motor; those under the empty name are for all."""
    cleared_bits: Mapping[str, int] = field(default_factory=dict)
    """Bits of registers that must be off in every motor."""
    drive_modes: Mapping[str, int] | None = None
    """Which motors are turned round by their Drive_Mode; none where motors have no such register."""
    body: str = ""
    """The body that moves: names its kinematic model, and what is simulated behind the port `sim`.

    The path of a MJCF or URDF file, with joints called as the motors, is a kinematic model only: with its shapes, the
    hand is kept above the table that its base stands on.
    """
    is_leader: bool = False
    """Whether a person moves it, so that its torque stays off."""
    rest: Mapping[str, float] = field(default_factory=dict)
    """Where it may be let go: -100 to 100 of the range, the gripper 0 to 100; empty where no such pose is known."""
    tolerance: Tolerance = field(default_factory=Tolerance)
