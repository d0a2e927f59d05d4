"""The bodies of known arms as plain numbers: what kinematics computes with and simulation moves."""

from __future__ import annotations

import importlib
import pkgutil

from etude.core.errors import NotFound
from etude.hardware.bodies.body import Body


def body(name: str) -> Body:
    """Give the body called `name`; raise `NotFound` with the known ones."""
    known = names()
    if name not in known:
        raise NotFound("body", name, known)
    return getattr(importlib.import_module(f"{__name__}.{name}"), name.upper())


def names() -> list[str]:
    """List the known bodies: a module each, with the body in capitals."""
    return [module.name for module in pkgutil.iter_modules(__path__) if module.name not in {"body", "mjcf"}]
