"""What simulated arms are made of: the body that moves, and the servos in its joints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etude.core.errors import NotFound
from etude.hardware.bodies.body import Body, Link
from etude.hardware.bodies.koch import KOCH
from etude.hardware.bodies.so100 import SO100
from etude.hardware.bodies.so101 import SO101
from etude.sim.servos.chain import Chain
from etude.sim.servos.dynamixel.chain import DynamixelChain
from etude.sim.servos.dynamixel.drive import TICKS_PER_RAD
from etude.sim.servos.dynamixel.models import XL330_M077, XL330_M288, XL430_W250, Mode
from etude.sim.servos.dynamixel.models import Model as XModel
from etude.sim.servos.dynamixel.servo import MIDDLE, XSeries
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.models import C001, C044, C046, Model
from etude.sim.servos.feetech.servo import Sts3215
from etude.sim.servos.servo import Servo


@dataclass(frozen=True, kw_only=True)
class Make:
    """A make of arm; its wire is made anew for every arm."""

    body: Body
    start_rad: tuple[float, ...]
    """Joint positions at the start of an episode, before jitter."""
    knows_tasks: bool = False
    """Whether the scripted demonstrator can do the tasks with it."""
    wire: Callable[[], Chain[Servo]]
    """Makes the servos of one arm, set up and calibrated, and the wire they hang on."""


def make_of(body: str, *, is_leader: bool = False) -> Make:
    """Find the make of an arm by its body's name; raise `NotFound` when it is not simulated."""
    makes = _LEADERS if is_leader else _FOLLOWERS
    if body not in makes:
        raise NotFound("simulated arm", body, list(makes))
    return makes[body]


def _feetech(body: Body, models: Sequence[Model]) -> Callable[[], Chain[Servo]]:
    """Tell how to make the wire of an arm with one of these servos in each joint, ids counted from 1."""

    def wire() -> Chain[Servo]:
        links = zip(body.links, models, strict=True)
        return ServoChain([_sts3215(number, body, *each) for number, each in enumerate(links, 1)])

    return wire


def _sts3215(number: int, body: Body, link: Link, model: Model) -> Sts3215:
    """Make a servo that holds what calibrating its joint leaves behind; LeRobot gives `wrist_roll` a whole turn."""
    center = body.gripper_center_rad if link.joint == "gripper" else 0.0
    range_rad = None if link.joint == "wrist_roll" else link.range_rad
    return Sts3215(number, center_rad=center, range_rad=range_rad, model=model)


def _dynamixel(body: Body, models: Sequence[XModel], turned: Sequence[str] = ()) -> Callable[[], Chain[Servo]]:
    """Tell how to make the wire of an arm with one of these servos in each joint, ids counted from 1."""

    def wire() -> Chain[Servo]:
        links = zip(body.links, models, strict=True)
        return DynamixelChain([_x_series(number, body, *each, turned) for number, each in enumerate(links, 1)])

    return wire


def _x_series(number: int, body: Body, link: Link, model: XModel, turned: Sequence[str]) -> XSeries:
    """Make a servo that holds what calibrating its joint with LeRobot leaves behind."""
    is_gripper, is_turned = link.joint == "gripper", link.joint in turned
    center = body.gripper_center_rad if is_gripper else 0.0
    has_ends = link.joint not in ("shoulder_pan", "wrist_roll")
    low, high = (round(MIDDLE + (end - center) * TICKS_PER_RAD) for end in link.range_rad) if has_ends else (0, 4095)
    is_soft = is_gripper and model.senses_current
    settings = {
        "Baud_Rate": 3,
        "Drive_Mode": int(is_turned),
        "Operating_Mode": Mode.CURRENT_POSITION if is_soft else Mode.EXTENDED_POSITION,
        "Min_Position_Limit": low,
        "Max_Position_Limit": high,
    }
    return XSeries(number, model=model, center_rad=center, is_turned=is_turned, settings=settings)


_START = tuple(math.radians(degrees) for degrees in (0.0, -60.0, 50.0, 75.0, 0.0, 10.0))
_SIX_C001 = (C001,) * 6
_LEADER_GEARS = (C044, C001, C044, C046, C046, C046)
"""Light to turn where little is to be held up."""

_KOCH_START = tuple(math.radians(degrees) for degrees in (0.0, -40.0, 10.0, 50.0, 0.0, 10.0))
_KOCH_FOLLOWER = (XL430_W250, XL430_W250, XL330_M288, XL330_M288, XL330_M288, XL330_M288)
_KOCH_LEADER = _dynamixel(KOCH, (XL330_M077,) * 6, turned=("elbow_flex",))

_FOLLOWERS = {
    "koch": Make(body=KOCH, start_rad=_KOCH_START, wire=_dynamixel(KOCH, _KOCH_FOLLOWER)),
    "so100": Make(body=SO100, start_rad=_START, knows_tasks=True, wire=_feetech(SO100, _SIX_C001)),
    "so101": Make(body=SO101, start_rad=_START, knows_tasks=True, wire=_feetech(SO101, _SIX_C001)),
}
_LEADERS = {
    "koch": Make(body=KOCH, start_rad=_KOCH_START, wire=_KOCH_LEADER),
    "so100": Make(body=SO100, start_rad=_START, knows_tasks=True, wire=_feetech(SO100, _SIX_C001)),
    "so101": Make(body=SO101, start_rad=_START, knows_tasks=True, wire=_feetech(SO101, _LEADER_GEARS)),
}
