"""What can be chosen about a simulated camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etude.core.errors import ConfigError

MAX_WIDTH, MAX_HEIGHT = 1280, 960


@dataclass(frozen=True, kw_only=True)
class Config:
    """A camera that looks at this process's simulated table."""

    stays_in_process: ClassVar[bool] = True

    view: str = "front"
    """Where it is: front of the table, wrist (on the gripper), or another camera of the scene."""
    width: int = 96
    """Picture width [pixels]."""
    height: int = 96
    """Picture height [pixels]."""
    fps: float | None = None
    """Pictures per simulated second; a new one for every reading when left out."""
    latency_s: float = 0.0
    """How old a picture is when it arrives; it is one of those taken at earlier readings."""
    grace_s: float = 3.0
    """How long the last picture is given while the camera is unplugged."""
    use_depth: bool = False
    """Whether it measures distances, too."""
    mark_frames: bool = False
    """Whether the number of the physics step is drawn into the top left corner, for tests."""

    def __post_init__(self) -> None:
        if not (0 < self.width <= MAX_WIDTH and 0 < self.height <= MAX_HEIGHT):
            raise ConfigError(
                f"A simulated camera gives up to {MAX_WIDTH} x {MAX_HEIGHT} pixels, got {self.width} x {self.height}."
            )
        if self.latency_s < 0 or self.grace_s <= 0 or (self.fps is not None and self.fps <= 0):
            raise ConfigError(
                "fps and grace_s should be positive and latency_s not negative, "
                f"got {self.fps}, {self.grace_s} s and {self.latency_s} s."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls(width=16, height=12)
