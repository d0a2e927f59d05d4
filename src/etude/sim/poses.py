"""Where things are, as numbers that a policy can learn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from etude.core.frame import ENVIRONMENT_STATE, Frame
from etude.core.spec import Spec, Specs
from etude.sim.moves import Pose

_NUMBERS = ("x", "y", "z", "xx", "xy", "xz", "yx", "yy", "yz")
"""Position [m], and the first two axes of the thing, which turn without a jump, unlike angles (Zhou et al., 2019)."""


def specs(names: Sequence[str]) -> Specs:
    """Say what is told of the things `names`: nine numbers of each."""
    numbers = tuple(f"{name}.{number}" for name in names for number in _NUMBERS)
    return {ENVIRONMENT_STATE: Spec(shape=(len(numbers),), names=numbers)}


def frame(poses: Iterable[Pose]) -> Frame:
    """Tell where things are."""
    numbers = [np.concatenate([pose.position, pose.axes[:, 0], pose.axes[:, 1]]) for pose in poses]
    return {ENVIRONMENT_STATE: np.concatenate(numbers).astype(np.float32)}
