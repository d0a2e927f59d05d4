"""A frame: all values at one instant, as a dict of numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from etude.core.errors import SpecMismatch
from etude.core.spec import Specs

Frame = dict[str, np.ndarray]

STATE = "observation.state"
ENVIRONMENT_STATE = "observation.environment_state"
"""What a simulator knows of the things around, as numbers."""
ACTION = "action"
IMAGES = "observation.images."
"""Prefix of camera keys; the camera's name follows."""


def check(specs: Specs, frame: Mapping[str, np.ndarray]) -> None:
    """Raise `SpecMismatch` unless `frame` holds every key of `specs` and each fits; extra keys are allowed."""
    for key, spec in specs.items():
        if key not in frame:
            raise SpecMismatch(key, str(spec), f"nothing; the frame has {', '.join(frame) or 'no keys'}")
        spec.check(key, frame[key])


def example(specs: Specs, rng: np.random.Generator | None = None) -> Frame:
    """Make a frame that passes `check`."""
    return {key: spec.example(rng) for key, spec in specs.items()}


def images(keys: Mapping[str, object]) -> list[str]:
    """List the camera keys among `keys`, in order."""
    return [key for key in keys if key.startswith("observation.image")]
