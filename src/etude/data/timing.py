"""When frames were really captured, what went wrong meanwhile, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TOLERANCE_S = 1e-4
"""How far a time that is stored may be from its frame's before LeRobot refuses it [s]."""
TIME, IS_LATE, TROUBLE = "time_s", "is_late", "trouble"
"""Names under which times are stored, beside each camera's own, and sentences of what went wrong where anything did."""
NOTHING = {IS_LATE: False, TROUBLE: ""}
"""What stands for frames of which nothing was noted; of times it is NaN."""
REPEATED = "/is_repeated"
"""Ends the name of a camera's flag: its picture is that of the frame before."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When a frame was really captured; the table's own `timestamp` is the time it should have been."""

    time_s: float
    """When the robot was observed, on the recorder's clock [s]."""
    is_late: bool = False
    """Whether the control tick before it ended after its time."""
    camera_time_s: Mapping[str, float] = field(default_factory=dict[str, float])
    """When each camera took its picture; one that is not newer than the frame before it repeats the picture."""
    trouble: tuple[str, ...] = ()
    """What went wrong in the control tick before it, one sentence each: answers that were missing, a pulled cable."""
