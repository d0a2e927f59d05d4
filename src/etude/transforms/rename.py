"""Other names for what a frame holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from etude.transforms.arrays import Array, Values

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Rename:
    """Give entries the names that a policy knows them by; all others keep theirs."""

    keys: Mapping[str, str]
    """From the robot's or dataset's name to the policy's, as LeRobot's `rename_map`."""

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with other names, those of what says which times are padding included."""
        return self.named(frame)

    def named(self, values: Mapping[str, T]) -> dict[str, T]:
        """Give specs, statistics or a frame under the new names, in their order."""
        names = dict(self.keys) | {f"{old}_is_pad": f"{new}_is_pad" for old, new in self.keys.items()}
        taken = {names[key] for key in values if key in names}
        return {names.get(key, key): value for key, value in values.items() if key in names or key not in taken}
