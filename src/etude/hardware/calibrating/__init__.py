"""Calibrating an arm, as data: steps that any door can show, and what they come to."""

from etude.hardware.calibrating.automatic import by_itself
from etude.hardware.calibrating.by_hand import by_hand
from etude.hardware.calibrating.checks import pose_differences
from etude.hardware.calibrating.keeping import Version, keep, restore, versions
from etude.hardware.calibrating.steps import Answer, Done, Finding, Hold, Look, Moving, Step, Steps, Sweep, Swept

__all__ = [
    "Answer", "Done", "Finding", "Hold", "Look", "Moving", "Step", "Steps", "Sweep", "Swept", "Version",
    "by_hand", "by_itself", "keep", "pose_differences", "restore", "versions",
]  # fmt: skip
