"""What every transform promises."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from etude.core.spec import Spec, Specs
from etude.transforms.arrays import Array, Values


@runtime_checkable
class Transform(Protocol):
    """A pure function from frame to frame: a frozen dataclass that is called.

    It works on numpy arrays and on torch tensors, with any leading batch axes, leaves a key alone that the frame does
    not hold, and never changes an array in place. A field named `stats` is stored as tensors, all others as JSON.
    """

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give a new frame."""
        ...


@runtime_checkable
class Reshaping(Protocol):
    """A transform after which entries have other names, shapes or meanings."""

    def named(self, specs: Specs, /) -> dict[str, Spec]:
        """Describe what becomes of a frame like `specs`."""
        ...
