"""The SO-100: the SO-101's older sister, with the same link lengths on another base, and heavier.

Where the shoulder sits and what the links weigh are those of MuJoCo Menagerie's `trs_so_arm100` (Apache-2.0). Joint
ranges, centres of mass and boxes are the SO-101's, which is approximate; inertias are scaled by the masses.
"""

from __future__ import annotations

from dataclasses import replace

from etude.hardware.bodies.body import Link, Vector
from etude.hardware.bodies.so101 import SO101

_MASSES_KG = (0.119226, 0.162409, 0.147968, 0.0661321, 0.0929859, 0.0202444)
_POSITIONS: dict[str, Vector] = {
    "shoulder_pan": (0.0452, 0, 0.0624),
    "shoulder_lift": (-0.0306, -0.0182778, -0.0566),
    "wrist_roll": (0, -0.0601, 0.0181),
}


def _as_on_so100(link: Link, mass_kg: float) -> Link:
    inertia = tuple(value * mass_kg / link.mass_kg for value in link.inertia)
    return replace(link, pos=_POSITIONS.get(link.joint, link.pos), mass_kg=mass_kg, inertia=inertia)


SO100 = replace(
    SO101,
    name="so100",
    links=tuple(_as_on_so100(link, mass) for link, mass in zip(SO101.links, _MASSES_KG, strict=True)),
)
