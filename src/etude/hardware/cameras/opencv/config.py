"""Values of an OpenCV camera, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError
from etude.hardware.cameras.identity import is_recorded
from etude.hardware.cameras.source import ColorMode, Rotation


@dataclass(frozen=True, kw_only=True)
class Config:
    """A USB camera by serial number, path or number, or a video file or stream, through OpenCV."""

    index_or_path: int | str = 0
    """USB serial number, remembered name, path such as /dev/v4l/by-id/..., number, video file, or URL of a stream."""
    width: int = 640
    """Picture width after turning [pixels]."""
    height: int = 480
    """Picture height after turning [pixels]."""
    fps: int = 30
    """Pictures per second asked of the camera."""
    color_mode: ColorMode = "rgb"
    """Order of the colours; datasets and policies expect rgb."""
    rotation: Rotation = 0
    """How far pictures are turned clockwise [degrees]."""
    fourcc: str | None = None
    """How pictures travel over USB, such as MJPG or YUYV; as the camera likes it when left out."""
    warmup_s: float = 1.0
    """How long to wait after opening, until exposure and white balance have settled."""
    grace_s: float = 3.0
    """How long the last picture is given while none come, such as when the cable was pulled."""

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.fps) < 1:
            raise ConfigError(
                f"width, height and fps should be positive, got {self.width} x {self.height} at {self.fps}."
            )
        if self.fourcc is not None and len(self.fourcc) != 4:
            raise ConfigError(f"fourcc should be four letters such as MJPG, got '{self.fourcc}'.")
        if self.warmup_s < 0 or self.grace_s <= 0:
            raise ConfigError(f"warmup_s should be 0 or more and grace_s more, got {self.warmup_s} and {self.grace_s}.")

    @property
    def stays_in_process(self) -> bool:
        """Whether it is a file, which waits for its reader and so can have only one."""
        return is_recorded(self.index_or_path)

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values; they need a camera."""
        return cls(width=160, height=120, warmup_s=0.0)
