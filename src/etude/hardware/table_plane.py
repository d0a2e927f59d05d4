"""The plane under an arm, from what is known of its body."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from etude.core.errors import MissingExtra, UserError
from etude.hardware import bodies
from etude.hardware.arm import Arm
from etude.hardware.arm_kind import ArmKind
from etude.hardware.gate import Table


def table_under(arm: Arm, height_m: float | None) -> Table | str:
    """Give the plane that the hand must not go below where the arm's body is known, else why there is none.

    The body is a known one, or a MJCF or URDF file whose joints are called as the motors, stand at zero in the middle
    of their calibrated range, and whose base stands on the plane z = 0.
    """
    body = arm.kind.body
    if height_m is None or not (body in bodies.names() or Path(body).suffix):
        return ""
    try:
        from etude.hardware.kinematics import DriverUnits  # noqa: PLC0415 - loads MuJoCo
        from etude.hardware.kinematics.arm import Kinematics  # noqa: PLC0415

        if body not in bodies.names():
            return _over_file(arm, height_m)
        kinematics, units = Kinematics.of(body), DriverUnits(bodies.body(body), arm.kind.gripper)
        return Table(height_m, lambda joints: kinematics.lowest_point(units.to_rad(arm.degrees(joints))))
    except MissingExtra as problem:
        return f"Nothing keeps the hand from the table. {problem}"


def _over_file(arm: Arm, height_m: float) -> Table | str:
    from etude.hardware.kinematics.arm import Kinematics  # noqa: PLC0415 - loads MuJoCo
    from etude.hardware.kinematics.model import compile_arm  # noqa: PLC0415

    motors = tuple(arm.kind.motors)
    model = compile_arm(Path(arm.kind.body), joints=motors)
    kinematics, order = Kinematics(model), [motors.index(joint) for joint in model.joints]
    zero, scale = _units(arm.kind, model.joints, model.low, model.high)

    def lowest(joints: np.ndarray) -> float:
        return kinematics.lowest_point(zero + arm.degrees(joints)[order] * scale)

    try:
        kinematics.lowest_point(zero)
    except UserError as problem:
        return f"Nothing keeps the hand from the table. {problem}"
    return Table(height_m, lowest)


def _units(kind: ArmKind, joints: tuple[str, ...], low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give where each joint is at 0, and how far it goes per unit: degrees, or hundredths of the gripper's range."""
    is_share = np.array([joint == kind.gripper for joint in joints]) & np.isfinite(low) & np.isfinite(high)
    span = np.where(is_share, high, 1.0) - np.where(is_share, low, 0.0)
    return np.where(is_share, low, 0.0), np.where(is_share, span / 100, np.pi / 180)
