"""A compiled arm, and which of its joints are the robot's."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etude.core.errors import NotFound, UserError
from etude.hardware import bodies
from etude.hardware.bodies.mjcf import add_arm
from etude.hardware.kinematics.files import read_model
from etude.hardware.physics import mujoco

Joints = Mapping[str, str] | Sequence[str] | None
"""The robot's joints in its order; a mapping also says what the model calls each."""


@dataclass(frozen=True, kw_only=True)
class ArmModel:
    """A compiled model of an arm."""

    name: str
    model: mujoco.MjModel
    joints: tuple[str, ...]
    """As the robot calls them: first those that move the tool, then the others, such as the gripper's."""
    num_arm: int
    """How many joints move the tool."""
    places: np.ndarray
    """(joint,) where each stands in the model's qpos."""
    dofs: np.ndarray
    """(joint,) where each stands in the model's qvel."""
    low: np.ndarray
    """(joint,) [rad], for sliding joints [m]; minus infinity where there is no stop."""
    high: np.ndarray
    site: int
    """The tool."""
    has_shape: bool
    """Whether the model has all the shapes it speaks of, so that one can tell what touches the table."""


def compile_arm(source: str | Path, *, tool: str | None = None, joints: Joints = None) -> ArmModel:
    """Compile a known body, by its name, or a MJCF or URDF file, by its path.

    `tool` names a site or a link. Without it, that of a known body is its `gripperframe`, and that of a file its last
    site or else its last link. `joints` are all hinges and slides if not given.
    """
    if isinstance(source, str) and source in bodies.names():
        spec, has_shape = mujoco.MjSpec(), True
        spec.compiler.degree = False
        add_arm(spec, bodies.body(source))
        tool = tool or _first_site(source)
    elif isinstance(source, Path) or Path(source).suffix:
        spec, has_shape = read_model(Path(source))
    else:
        raise NotFound("body", source, bodies.names())
    where = str(source)
    _add_tool(spec, tool, where)
    try:
        model = spec.compile()
    except ValueError as error:
        raise UserError(f"MuJoCo cannot compile {where}: {error}") from error
    return _with_joints(where, model, has_shape, joints)


_TOOL = "etude tool"


def _first_site(body: str) -> str:
    names = [site.name for site in bodies.body(body).sites]
    if not names:
        raise UserError(f"The body '{body}' has no site for the tool.")
    return names[0]


def _add_tool(spec: mujoco.MjSpec, tool: str | None, where: str) -> None:
    """Mark the tool with a site of its own: a link becomes a site at its origin."""
    sites, links = list(spec.sites), [link for link in spec.bodies if link.name != "world"]
    if not links:
        raise UserError(f"{where} has no links.")
    named = [one for one in (*sites, *links) if one.name == tool] if tool else [*links, *sites][-1:]
    if not named:
        raise NotFound("site or link", str(tool), [one.name for one in (*sites, *links) if one.name])
    mark = named[0]
    site = mark.parent.add_site(pos=mark.pos, quat=mark.quat) if mark in sites else mark.add_site()
    site.name = _TOOL


def _with_joints(where: str, model: mujoco.MjModel, has_shape: bool, joints: Joints) -> ArmModel:
    movable = (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)
    known = {model.joint(i).name: i for i in range(model.njnt) if model.jnt_type[i] in movable}
    if joints is None:
        joints = list(known)
    wanted = dict(joints) if isinstance(joints, Mapping) else {name: name for name in joints}
    for name in wanted.values():
        if name not in known:
            raise NotFound("joint of the model", name, known)
    site = model.site(_TOOL).id
    above = _ancestors(model, model.site_bodyid[site])
    arm = [name for name, joint in wanted.items() if model.jnt_bodyid[known[joint]] in above]
    if not arm:
        raise UserError(f"No joint of {where} moves its tool. Name another link or site as the tool.")
    order = [*arm, *(name for name in wanted if name not in arm)]
    rows = np.array([known[wanted[name]] for name in order])
    stops = np.where(model.jnt_limited[rows, None].astype(bool), model.jnt_range[rows], [-np.inf, np.inf])
    return ArmModel(
        name=where,
        model=model,
        joints=tuple(order),
        num_arm=len(arm),
        places=model.jnt_qposadr[rows],
        dofs=model.jnt_dofadr[rows],
        low=stops[:, 0],
        high=stops[:, 1],
        site=site,
        has_shape=has_shape,
    )


def _ancestors(model: mujoco.MjModel, body: int) -> set[int]:
    found = {int(body)}
    while body:
        body = model.body_parentid[body]
        found.add(int(body))
    return found
