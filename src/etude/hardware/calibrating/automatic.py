"""An SO-100 or SO-101 follower calibrates itself: it feels for its stops, slowly and weakly, one joint at a time.

The order keeps it off the table whatever pose it begins in: the upper arm leans back first, which lifts the rest, then
the hand goes up, then the forearm folds down, and from there on all angles are known well enough.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass

from etude.core.clock import Clock
from etude.core.errors import DeviceError, UserError
from etude.hardware import bodies, unfinished
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.calibrating import checks
from etude.hardware.calibrating.choosing import choose
from etude.hardware.calibrating.encoders import Encoders
from etude.hardware.calibrating.feeling import Feeler
from etude.hardware.calibrating.steps import Answer, Done, Hold, Moving, Step, Steps


@dataclass(frozen=True)
class _Seek:
    """Turn a joint until it stops."""

    motor: str
    direction: int


@dataclass(frozen=True)
class _Go:
    """Turn a joint to an angle of its body."""

    motor: str
    deg: float


_SO101_PLAN = (
    _Seek("shoulder_lift", -1),
    _Seek("wrist_flex", -1),
    _Seek("elbow_flex", +1),
    _Go("elbow_flex", 0),  # the forearm points up
    _Seek("wrist_flex", +1),
    _Go("wrist_flex", 0),
    _Seek("gripper", -1),
    _Seek("gripper", +1),
    _Go("gripper", 0),
    _Go("shoulder_lift", 0),
    _Seek("elbow_flex", -1),  # the whole arm points up, and takes little room to turn
    _Seek("shoulder_pan", -1),
    _Seek("shoulder_pan", +1),
    _Go("shoulder_pan", 0),
    _Go("wrist_flex", -80),
    _Seek("shoulder_lift", +1),  # the forearm is level now, its hand up
    _Go("shoulder_lift", -20),
    _Go("wrist_flex", 20),
    _Go("elbow_flex", 40),
    _Go("shoulder_lift", -97),
    _Go("elbow_flex", 93),
)
_PLANS = {"so101": _SO101_PLAN}
_READY = (
    "Screw or clamp the arm down and clear the space around it, as far as it reaches. Fold it, turn its hand so that "
    "the jaws lie level, and let go: it will move by itself, slowly, and can be held up by hand. Ctrl-C stops it."
)


def by_itself(kind: ArmKind, bus: MotorBus, clock: Clock) -> Steps:
    """Let the arm on an open `bus` find its stops; the last step is `Done`, and the arm lies at rest, let go.

    Endless joints have their middle where they are when the person says so. Raise `UserError` for makes that cannot.
    A fault ends it at once: the arm holds until the person supports it, then it is let go and holds in its motors what
    it held before. So it does when it is closed, but for an arm that is up, which holds where it is; and where the
    process dies, the next one that connects gives the motors what they held.
    """
    plan = _PLANS.get(kind.body)
    if plan is None or kind.is_leader:
        raise UserError("Only SO-100 and SO-101 followers can calibrate themselves. Leave out --auto.")
    ready = Hold(sentence=_READY)
    while (yield ready) is not Answer.NEXT:
        pass
    unfinished.mend(kind, bus, clock)
    with ExitStack() as undo:
        encoders = Encoders(kind, bus, kind.motors)
        feeler = Feeler(kind, bus, clock, encoders)
        undo.callback(_give_back, bus, clock, unfinished.note(kind, bus))
        middles = encoders.look()
        try:
            yield from _play(kind, plan, feeler)
        except DeviceError as problem:
            feeler.hold()
            sentence = f"{problem} The arm holds where it is. Support it: it goes limp when you go on."
            while (yield Hold(sentence=sentence)) is not Answer.NEXT:
                pass
            feeler.release()
            raise
        feeler.release()
    swept = {motor: joint for motor, joint in feeler.found().items() if motor not in kind.endless}
    findings = tuple(checks.wrong_widths(swept))
    if findings:
        told = " ".join(finding.sentence for finding in findings)
        raise DeviceError(
            f"The arm met something on its way. {told} Make room, or calibrate by hand: leave out --auto."
        )
    yield Done(calibration=choose(kind, bus, swept, middles))


def _give_back(bus: MotorBus, clock: Clock, held: unfinished.Held) -> None:
    """Give the motors what they held; where some cannot be reached, whoever connects next does."""
    try:
        if unfinished.give_back(bus, clock, held):
            unfinished.forget(bus)
    except KeyboardInterrupt:  # who is in such a hurry wants no motor to stay weak
        unfinished.give_back(bus, clock, held)
        raise


def _play(kind: ArmKind, plan: tuple[_Seek | _Go, ...], feeler: Feeler) -> Generator[Step, Answer | None, None]:
    ranges = {link.joint: tuple(math.degrees(end) for end in link.range_rad) for link in bodies.body(kind.body).links}
    feeler.begin({move.motor: move.direction for move in reversed(plan) if isinstance(move, _Seek)})
    for move in plan:
        if isinstance(move, _Seek):
            sentence = f"{move.motor} looks for its {'upper' if move.direction > 0 else 'lower'} stop."
            steps = feeler.seek(move.motor, move.direction)
        else:
            sentence = f"{move.motor} makes room."
            steps = feeler.go(move.motor, move.deg, ranges[move.motor])
        for _ in steps:
            yield Moving(sentence=sentence, joints=feeler.swept())
