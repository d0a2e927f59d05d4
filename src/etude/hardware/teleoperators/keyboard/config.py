"""Values of the keyboard."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError
from etude.hardware.teleoperators.steps import StepConfig

TAKEN = frozenset("nrq +-=")
"""Keys that mean something already: to the recorder, and to the keyboard itself."""


@dataclass(frozen=True, kw_only=True)
class Config(StepConfig):
    """Drives an arm with the keys of the terminal, also over SSH: pairs of keys above each other, up is forward."""

    keys: tuple[str, ...] = ("az", "sx", "dc", "fv", "gb", "jm", "k,", "l.")
    """For each joint the key that turns it forward and the one that turns it back, for the mode `joints`."""
    hold_s: float = 0.12
    """How long a key counts as held after the terminal sent it [s]; terminals do not tell when it is let go."""

    def __post_init__(self) -> None:
        super().__post_init__()
        pressed = "".join(self.keys)
        if any(len(pair) != 2 for pair in self.keys) or len(set(pressed)) < len(pressed):
            raise ConfigError(f"Each of keys should be two different keys, got {', '.join(self.keys)}.")
        if taken := TAKEN.intersection(pressed):
            raise ConfigError(f"The keys {', '.join(sorted(taken))} mean something else already; choose others.")
        if self.mode == "joints" and len(self.keys) < len(self.joints):
            raise ConfigError(f"{len(self.joints)} joints need as many pairs of keys, got {len(self.keys)}.")
        if self.hold_s <= 0:
            raise ConfigError(f"hold_s should be positive, got {self.hold_s}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values."""
        return cls(mode="joints", joints=("joint_0", "joint_1"), gripper="")
