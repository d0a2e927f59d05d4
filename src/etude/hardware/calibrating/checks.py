"""Whether a calibration is plausible: against the arm's body, against itself, against the arm it goes with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np

from etude.hardware.arm_kind import ArmKind
from etude.hardware.calibrating.steps import Finding, Swept

HARDLY_DEG = 10.0
"""A joint that was moved less was forgotten."""
_WIDTHS = 0.85, 1.15
"""Share of what the body allows that a sweep should come to."""
_OFF_MIDDLE_DEG = 25.0
"""How far from the middle of its range a joint may be that is held there by eye."""
_CLOSED, _OPEN = 0.2, 0.8
"""Shares of the gripper's range."""
_TOGETHER, _TOGETHER_DEG, _SAMPLES = 0.97, 20.0, 40
_MANY_PAIRS = 2
"""With more pairs than these, somebody moved the whole arm at once: that is one thing to say."""


def hardly_moved(swept: Mapping[str, Swept]) -> tuple[Finding, ...]:
    """Name the joints that must be moved before anything can be said of them."""
    findings: list[Finding] = []
    for motor, joint in swept.items():
        if joint.moved_deg < HARDLY_DEG:
            expected = f" of {joint.expected_deg:.0f}" if joint.expected_deg else ""
            told = f"{motor} was hardly moved: {joint.moved_deg:.0f}{expected} degrees."
            findings.append(Finding(motor=motor, sentence=f"{told} Move it to both of its ends."))
    return tuple(findings)


def turned_too_far(swept: Mapping[str, Swept]) -> tuple[Finding, ...]:
    """Name the joints that were moved by more than a turn, which none with stops can be."""
    return tuple(
        Finding(
            motor=motor,
            sentence=f"{motor} was turned by {joint.moved_deg:.0f} degrees, more than a turn. "
            "Is its horn screwed down? Move it slowly from one end to the other.",
        )
        for motor, joint in swept.items()
        if joint.high - joint.low >= joint.resolution
    )


def wrong_widths(swept: Mapping[str, Swept]) -> Iterator[Finding]:
    """Name the joints whose range is not that of the arm's body."""
    least, most = _WIDTHS
    for motor, joint in swept.items():
        if joint.share is None:
            continue
        told = f"{motor} was moved through {joint.moved_deg:.0f} degrees; this arm allows {joint.expected_deg:.0f}."
        if joint.share < least:
            yield Finding(motor=motor, sentence=f"{told} Move it until it stops, at both ends.")
        elif joint.share > most:
            yield Finding(motor=motor, sentence=f"{told} Is its id that of another joint, or its horn loose?")


def off_middle(kind: ArmKind, swept: Mapping[str, Swept], held: Mapping[str, int]) -> Iterator[Finding]:
    """Name the joints that are not in the middle of their range while the person holds the arm so, gripper closed."""
    for motor, joint in swept.items():
        if motor == kind.gripper:
            yield from _gripper(motor, joint, held[motor])
            continue
        off = (held[motor] - (joint.low + joint.high) / 2) * 360 / joint.resolution
        if abs(off) > _OFF_MIDDLE_DEG:
            yield Finding(
                motor=motor,
                sentence=f"{motor} is {abs(off):.0f} degrees from the middle of the range it was moved through. "
                "Either the arm is not held as asked, or one end of that range was left out.",
            )


def _gripper(motor: str, joint: Swept, held: int) -> Iterator[Finding]:
    share = (held - joint.low) / max(joint.high - joint.low, 1)
    if share > _OPEN:
        yield Finding(
            motor=motor,
            sentence=f"{motor} is closed, and its motor shows {share:.0%} of its range, where it should be open. "
            "Is its motor mounted the wrong way round, or its id that of another joint?",
        )
    elif share > _CLOSED:
        yield Finding(motor=motor, sentence=f"{motor} stands at {share:.0%} of its range and should be closed.")


def moved_together(swept: Mapping[str, Swept], history: Sequence[Mapping[str, int]]) -> Iterator[Finding]:
    """Name pairs of joints that were only ever moved together; `history` holds ticks by motor, look after look."""
    wide = [motor for motor, joint in swept.items() if joint.moved_deg > _TOGETHER_DEG]
    steps = np.diff(np.array([[look[motor] for motor in wide] for look in history]).reshape(-1, len(wide)), axis=0)
    pairs: dict[tuple[str, str], float] = {}
    for one, other in combinations(range(len(wide)), 2):
        pair = steps[(steps[:, one] != 0) | (steps[:, other] != 0)][:, [one, other]]
        if len(pair) < _SAMPLES or not pair.std(axis=0).all():
            continue
        together = float(np.corrcoef(pair.T)[0, 1])
        if abs(together) > _TOGETHER:
            pairs[wide[one], wide[other]] = together
    if len(pairs) > _MANY_PAIRS:
        joints = [motor for motor in wide if any(motor in pair for pair in pairs)]
        yield _stuck(f"{', '.join(joints[:-1])} and {joints[-1]} moved together, or several of them at a time.")
        return
    for (one, other), together in pairs.items():
        yield _stuck(f"{one} and {other} always moved together ({together:.2f} of 1).")


def _stuck(what: str) -> Finding:
    advice = "Move one at a time; if they still do, their parts are stuck to each other."
    return Finding(sentence=f"{what} {advice}", is_serious=False)


def out_of_order(swept: Mapping[str, Swept], history: Sequence[Mapping[str, int]]) -> Iterator[Finding]:
    """Name neighbours that were moved in another order than the one asked for: their ids may be exchanged."""
    if not history:
        return
    done_at = {motor: _swept_at(joint, [look[motor] for look in history]) for motor, joint in swept.items()}
    for one, other in pairwise(swept):
        if done_at[other] < done_at[one]:
            yield Finding(
                sentence=f"{other} was moved before {one}. If you moved {one} first, their ids are exchanged: run "
                "etude setup-motors.",
                is_serious=False,
            )


def _swept_at(joint: Swept, places: Sequence[int]) -> int:
    """Give the number of the look at which the joint had been near both of its ends."""
    near = (joint.high - joint.low) / 10
    at_low = next((at for at, place in enumerate(places) if place < joint.low + near), len(places))
    at_high = next((at for at, place in enumerate(places) if place > joint.high - near), len(places))
    return max(at_low, at_high)


def pose_differences(
    leader: Mapping[str, float], follower: Mapping[str, float], *, tolerance: float = 10.0
) -> tuple[Finding, ...]:
    """Name the joints in which two arms differ that are held in the same pose; values are in their common units."""
    shared = [joint for joint in leader if joint in follower]
    return tuple(
        Finding(
            motor=joint,
            sentence=f"{joint} is at {leader[joint]:.0f} in the leader and at {follower[joint]:.0f} in the follower, "
            f"{abs(leader[joint] - follower[joint]):.0f} apart. If both are held alike, calibrate again the one that "
            "is not where it says.",
        )
        for joint in shared
        if abs(leader[joint] - follower[joint]) > tolerance
    )
