"""What simulated arms are made of: the body that moves, and the servos in its joints."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from etude.core.errors import NotFound
from etude.hardware.bodies.body import Body, Link
from etude.hardware.bodies.so101 import SO101
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


def _so101_wire() -> Chain:
    return ServoChain([_calibrated_sts3215(number, link) for number, link in enumerate(SO101.links, 1)])


def _calibrated_sts3215(number: int, link: Link) -> Sts3215:
    """Make a servo that holds what calibrating its joint leaves behind; LeRobot gives `wrist_roll` a whole turn."""
    center = SO101.gripper_center_rad if link.joint == "gripper" else 0.0
    return Sts3215(number, center_rad=center, range_rad=None if link.joint == "wrist_roll" else link.range_rad)


_SO101_START = tuple(math.radians(degrees) for degrees in (0.0, -60.0, 50.0, 75.0, 0.0, 10.0))

_FOLLOWERS = {"so101": Make(body=SO101, start_rad=_SO101_START, knows_tasks=True, wire=_so101_wire)}
_LEADERS = _FOLLOWERS
