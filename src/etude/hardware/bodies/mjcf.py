"""An arm as MuJoCo sees it, made from the plain numbers of its body."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

from collections.abc import Sequence

from etude.hardware.bodies.body import Body, Box, Link, Mass, Vector
from etude.hardware.bodies.so101 import SO101
from etude.hardware.physics import mujoco

_ORIGIN = (0.0, 0.0, 0.0)
_STRAIGHT = (1.0, 0.0, 0.0, 0.0)


def add_arm(
    spec: mujoco.MjSpec, body: Body = SO101, *, prefix: str = "", pos: Vector = _ORIGIN, quat: Vector = _STRAIGHT
) -> None:
    """Bolt an arm to `spec` at `pos` [m]: x forward, z up; every name in it begins with `prefix`."""
    parent = _add_body(spec.worldbody, f"{prefix}base", body.base, body.base_boxes)
    parent.pos, parent.quat = pos, quat
    for link in body.links:
        mass = Mass(link.mass_kg, link.com, link.inertia)
        parent = _add_body(parent, prefix + link.body, mass, link.boxes)
        parent.pos, parent.quat = link.pos, link.quat
        _add_joint(parent, body, link, prefix)
    for name, (link, box) in body.fingers.items():
        _add_finger(spec.body(prefix + link), prefix + name, box)
    for site in body.sites:
        spec.body(prefix + site.body).add_site(
            name=prefix + site.name, pos=site.pos, quat=site.quat, size=[0.002] * 3, group=5
        )
    for one, other in body.not_touching:
        spec.add_exclude(bodyname1=prefix + one, bodyname2=prefix + other)


def _add_body(parent: mujoco.MjsBody, name: str, mass: Mass, boxes: Sequence[Box]) -> mujoco.MjsBody:
    body = parent.add_body(name=name, mass=mass.kg, ipos=mass.com, fullinertia=mass.inertia, explicitinertial=True)
    for box in boxes:
        _add_box(body, box)
    return body


def _add_joint(parent: mujoco.MjsBody, body: Body, link: Link, prefix: str) -> None:
    parent.add_joint(
        name=prefix + link.joint,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=(0, 0, 1),
        range=link.range_rad,
        armature=body.armature_kg_m2,
        damping=[body.damping_nms_rad, 0, 0],
        frictionloss=body.friction_nm,
    )


def _add_box(body: mujoco.MjsBody, box: Box, name: str = "") -> mujoco.MjsGeom:
    kind = mujoco.mjtGeom.mjGEOM_BOX
    return body.add_geom(name=name, type=kind, size=box.size, pos=box.pos, quat=box.quat, rgba=box.color)


def _add_finger(body: mujoco.MjsBody, name: str, box: Box) -> None:
    """Add a finger tip that holds what it grips: high friction, also against twisting and rolling."""
    geom = _add_box(body, box, name)
    geom.condim, geom.priority = 6, 1
    geom.friction, geom.solref = [1.2, 5e-3, 5e-4], [0.01, 1]
