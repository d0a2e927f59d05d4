"""What simulated arms are made of: the body that moves, and the servos in its joints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etude.core.errors import NotFound
from etude.hardware.bodies.body import Body, Link
from etude.hardware.bodies.so100 import SO100
from etude.hardware.bodies.so101 import SO101
from etude.sim.servos.feetech.models import C001, C044, C046, Model
from etude.sim.servos.feetech.servo import ServoChain, Sts3215
from etude.sim.servos.servo import Chain


@dataclass(frozen=True, kw_only=True)
class Make:
    """A make of arm; its wire is made anew for every arm."""

    body: Body
    start_rad: tuple[float, ...]
    """Joint positions at the start of an episode, before jitter."""
    knows_tasks: bool = False
    """Whether the scripted demonstrator can do the tasks with it."""
    wire: Callable[[], Chain]
    """Makes the servos of one arm, set up and calibrated, and the wire they hang on."""


def make_of(body: str, *, is_leader: bool = False) -> Make:
    """Find the make of an arm by its body's name; raise `NotFound` when it is not simulated."""
    makes = _LEADERS if is_leader else _FOLLOWERS
    if body not in makes:
        raise NotFound("simulated arm", body, list(makes))
    return makes[body]


def _feetech(body: Body, models: Sequence[Model]) -> Callable[[], Chain]:
    """Tell how to make the wire of an arm with one of these servos in each joint, ids counted from 1."""

    def wire() -> Chain:
        links = zip(body.links, models, strict=True)
        return ServoChain([_sts3215(number, body, *each) for number, each in enumerate(links, 1)])

    return wire


def _sts3215(number: int, body: Body, link: Link, model: Model) -> Sts3215:
    """Make a servo that holds what calibrating its joint leaves behind; LeRobot gives `wrist_roll` a whole turn."""
    center = body.gripper_center_rad if link.joint == "gripper" else 0.0
    range_rad = None if link.joint == "wrist_roll" else link.range_rad
    return Sts3215(number, center_rad=center, range_rad=range_rad, model=model)


_START = tuple(math.radians(degrees) for degrees in (0.0, -60.0, 50.0, 75.0, 0.0, 10.0))
_SIX_C001 = (C001,) * 6
_LEADER_GEARS = (C044, C001, C044, C046, C046, C046)
"""Light to turn where little is to be held up."""

_FOLLOWERS = {
    "so100": Make(body=SO100, start_rad=_START, knows_tasks=True, wire=_feetech(SO100, _SIX_C001)),
    "so101": Make(body=SO101, start_rad=_START, knows_tasks=True, wire=_feetech(SO101, _SIX_C001)),
}
_LEADERS = {
    "so100": Make(body=SO100, start_rad=_START, knows_tasks=True, wire=_feetech(SO100, _SIX_C001)),
    "so101": Make(body=SO101, start_rad=_START, knows_tasks=True, wire=_feetech(SO101, _LEADER_GEARS)),
}
