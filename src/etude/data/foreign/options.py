"""What a user may say about files that do not tell everything themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Options:
    """Answers to what files of other projects leave open; every format's config has these."""

    fps: int = 0
    """Frames per second [1/s]. 0: as the files say, else what is usual for the format."""
    task: str = ""
    """Task of the episodes that tell none. Empty: the name of the dataset."""
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names here by names there, where the usual one is not wanted. Those that share a name are joined; an empty
    name leaves one out."""

    def __post_init__(self) -> None:
        if self.fps < 0:
            raise ConfigError(f"fps should be at least 1, or 0 for what the files say; got {self.fps}.")

    def rate(self, told: float | None, usual: int) -> tuple[int, tuple[str, ...]]:
        """Decide the frame rate, from what the files told if they did, and say what had to be assumed."""
        if self.fps or told:
            return self.fps or max(1, round(told or 0)), ()
        return usual, (f"The files do not tell their frame rate; {usual} per second is assumed. Set fps if not.",)

    def text(self, told: str, name: str) -> tuple[str, tuple[str, ...]]:
        """Decide the task of episodes, from what the files told if they did, and say what had to be assumed."""
        if self.task or told:
            return self.task or told, ()
        return name, (f"The files do not tell the task; it is called '{name}'. Set task to say it as a sentence.",)
