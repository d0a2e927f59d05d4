"""What describes an arm's body: links, joints, masses, and boxes to see and to touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHELL = (0.93, 0.91, 0.87, 1.0)
SERVO = (0.17, 0.18, 0.20, 1.0)
FINGER = (0.96, 0.55, 0.20, 1.0)

Vector = tuple[float, ...]


@dataclass(frozen=True)
class Box:
    """A box in its link's frame; `size` holds half lengths [m], `quat` is w x y z and need not be normalised."""

    size: Vector
    pos: Vector
    quat: Vector = (1, 0, 0, 0)
    color: Vector = SHELL


@dataclass(frozen=True)
class Mass:
    """How heavy a link is [kg], where its centre of mass lies [m], and its inertia about that."""

    kg: float
    com: Vector
    inertia: Vector
    """xx yy zz xy xz yz [kg m^2]."""


@dataclass(frozen=True)
class Link:
    """One moving link: where it hangs on its parent, the joint that turns it about its z axis, and its mass."""

    joint: str
    body: str
    pos: Vector
    quat: Vector
    range_rad: tuple[float, float]
    mass_kg: float
    com: Vector
    inertia: Vector
    """xx yy zz xy xz yz about the centre of mass [kg m^2]."""
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Site:
    """A named place on a link."""

    name: str
    body: str
    pos: Vector
    quat: Vector = (1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Body:
    """An arm as a chain of links, each hanging on the one before; its base stands at the origin, x forward, z up."""

    name: str
    base: Mass
    base_boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    """In motor order; the last one is the gripper's moving jaw."""
    fingers: Mapping[str, tuple[str, Box]]
    """Boxes that grip: name to link and box."""
    sites: tuple[Site, ...]
    not_touching: tuple[tuple[str, str], ...]
    """Pairs of links that are never checked for contact."""
    armature_kg_m2: float
    damping_nms_rad: float
    friction_nm: float
    gripper_center_rad: float
    """Where the gripper's servo has its middle; the other servos have theirs at joint zero."""

    @property
    def joints(self) -> tuple[str, ...]:
        """Joint names in motor order, as LeRobot spells them."""
        return tuple(link.joint for link in self.links)
