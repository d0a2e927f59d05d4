"""Values of a shared camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A camera that another process has open: several programs look through it at once."""

    stays_in_process: ClassVar[bool] = True

    owner: str
    """Name under which the other process shares its cameras."""
    camera: str
    """Name of the camera there."""
    grace_s: float = 3.0
    """How long the last picture is given while none come."""

    def __post_init__(self) -> None:
        for name in (self.owner, self.camera):
            if not name or "/" in name or "\\" in name or name.startswith("."):
                raise ConfigError(f"A shared camera's owner and name are plain words without slashes, got '{name}'.")
        if self.grace_s <= 0:
            raise ConfigError(f"grace_s should be positive, got {self.grace_s}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values; they need an owner."""
        return cls(owner="nobody", camera="front")
