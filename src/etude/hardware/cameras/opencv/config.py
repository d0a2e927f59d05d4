"""Values of an OpenCV camera, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A USB camera by number or path, or a video file or stream, through OpenCV."""

    index_or_path: int | str = 0
    """Number of the camera, path such as /dev/video0, video file, or URL of a stream."""
    width: int = 640
    """Picture width [pixels]."""
    height: int = 480
    """Picture height [pixels]."""
    fps: int = 30
    """Pictures per second asked of the camera."""

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.fps) < 1:
            raise ConfigError(
                f"width, height and fps should be positive, got {self.width} x {self.height} at {self.fps}."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values; they need a camera."""
        return cls(width=160, height=120)
