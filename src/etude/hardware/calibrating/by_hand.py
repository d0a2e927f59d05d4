"""Calibrating with a person who moves the arm: first the ranges, then the middle, then whether it all makes sense.

Nothing is written to the motors before the end, but that their torque is off: the encoders are read as they are,
whatever offsets the motors hold, so breaking off leaves the arm as it was.
"""

from __future__ import annotations

import math
from collections.abc import Generator

from etude.hardware import bodies
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.calibrating import checks
from etude.hardware.calibrating.choosing import choose
from etude.hardware.calibrating.encoders import Encoders
from etude.hardware.calibrating.steps import Answer, Done, Hold, Look, Step, Steps, Sweep, Swept

_NOTED_TICKS = 8
"""How far any joint must move before the pose is noted again."""
_POSES = {
    "so101": "Upper arm upright, forearm level and straight ahead, hand in line and not rolled, gripper closed.",
}
"""The middle of every joint's range, by body, in words."""


def by_hand(kind: ArmKind, bus: MotorBus) -> Steps:
    """Calibrate the arm on an open `bus`; the last step is `Done`, and nothing is stored."""
    free(kind, bus)
    while True:
        encoders = Encoders(kind, bus, kind.motors)
        history = yield from _sweep(kind, encoders)
        held = yield from _hold(kind, encoders)
        swept = {motor: joint for motor, joint in encoders.swept().items() if motor not in kind.endless}
        findings = (
            *checks.wrong_widths(swept),
            *checks.off_middle(kind, swept, held),
            *checks.moved_together(swept, history),
            *checks.out_of_order(swept, history),
        )
        if findings:
            answer = yield from _answered(Look(sentence="Is this right?", findings=findings, may_accept=True))
            if answer is Answer.AGAIN:
                continue
        yield Done(calibration=choose(kind, bus, swept, held), findings=findings)
        return


def free(kind: ArmKind, bus: MotorBus) -> None:
    """Switch the torque off, so that a person can move the arm; turn motors round that are to be."""
    for motor in kind.motors:
        bus.write("Torque_Enable", motor, 0, despite_faults=True)
        if kind.drive_modes is not None:
            turned = bus.read("Drive_Mode", motor) & ~1 | kind.drive_modes.get(motor, 0)
            bus.write("Drive_Mode", motor, turned)


def middle_pose(kind: ArmKind) -> Hold:
    """Ask for the pose in which every joint has its middle."""
    words = _POSES.get(kind.body, "Every joint in the middle of its range, gripper closed.")
    pose: dict[str, float] = {}
    if kind.body in bodies.names():
        ranges = {link.joint: link.range_rad for link in bodies.body(kind.body).links}
        middles = {joint: low if joint == kind.gripper else (low + high) / 2 for joint, (low, high) in ranges.items()}
        pose = {joint: math.degrees(rad) for joint, rad in middles.items()}
    return Hold(sentence=f"Hold the arm in its middle pose. {words}", picture=kind.body if pose else "", pose_deg=pose)


def _sweep(kind: ArmKind, encoders: Encoders) -> Generator[Step, Answer | None, list[dict[str, int]]]:
    """Follow the arm until every joint that stops has been moved; give the poses it went through.

    There are none to judge by where the person had to begin again.
    """
    joints = [motor for motor in kind.motors if motor not in kind.endless]
    sentence = f"Move each joint slowly to both of its ends, one after another: {', '.join(joints)}."
    history, answer, attempts = [encoders.look()], None, 0
    while True:
        while answer is not Answer.NEXT:
            answer = yield Sweep(sentence=sentence, joints=_of(encoders, joints))
            now = encoders.look()
            if any(abs(now[motor] - history[-1][motor]) > _NOTED_TICKS for motor in joints):
                history.append(now)
        swept = _of(encoders, joints)
        too_far = checks.turned_too_far(swept)
        problems = (*checks.hardly_moved(swept), *too_far)
        if not problems:
            return [] if attempts else history
        attempts += 1
        encoders.forget(finding.motor for finding in too_far)
        yield from _answered(Look(sentence="Not yet.", findings=problems, may_accept=False))
        answer = None


def _of(encoders: Encoders, joints: list[str]) -> dict[str, Swept]:
    swept = encoders.swept()
    return {motor: swept[motor] for motor in joints}


def _hold(kind: ArmKind, encoders: Encoders) -> Generator[Step, Answer | None, dict[str, int]]:
    """Wait until the person holds the middle pose; give where the encoders are then."""
    step = middle_pose(kind)
    while (yield step) is not Answer.NEXT:
        encoders.look()
    return encoders.look()


def _answered(step: Step) -> Generator[Step, Answer | None, Answer]:
    """Wait for any answer."""
    answer = None
    while answer is None:
        answer = yield step
    return answer
