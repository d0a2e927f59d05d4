"""Values of an Intel RealSense camera, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError
from etude.hardware.cameras.source import ColorMode, Rotation


@dataclass(frozen=True, kw_only=True)
class Config:
    """An Intel RealSense camera: colours, and distances that lie on them."""

    serial_number_or_name: str
    """Serial number, or the model's name where there is one of that model only."""
    width: int = 640
    """Picture width after turning [pixels]."""
    height: int = 480
    """Picture height after turning [pixels]."""
    fps: int = 30
    """Pictures per second, of both kinds."""
    use_rgb: bool = True
    """Whether to take colour pictures."""
    use_depth: bool = False
    """Whether to measure distances; they are seen from the colour camera, if that is used."""
    color_mode: ColorMode = "rgb"
    """Order of the colours; datasets and policies expect rgb."""
    color_format: Literal["rgb8", "bgr8"] = "rgb8"
    """How colours travel over USB; a D405 needs bgr8."""
    rotation: Rotation = 0
    """How far pictures are turned clockwise [degrees]."""
    exposure: int | None = None
    """Exposure time in the camera's steps, without automatic; automatic when left out."""
    gain: int | None = None
    """Gain in the camera's steps, without automatic exposure; automatic when left out."""
    white_balance: int | None = None
    """Colour temperature [K], without automatic; automatic when left out."""
    warmup_s: float = 1.0
    """How long to wait after opening, until exposure and white balance have settled."""
    timeout_s: float = 5.0
    """How long to wait for a picture before opening anew."""
    grace_s: float = 3.0
    """How long the last picture is given while none come, such as when the cable was pulled."""

    def __post_init__(self) -> None:
        if not self.serial_number_or_name:
            raise ConfigError("A RealSense camera needs its serial_number_or_name; `etude find-cameras` lists them.")
        if not (self.use_rgb or self.use_depth):
            raise ConfigError("A RealSense camera takes colours or distances: use_rgb and use_depth are both false.")
        if min(self.width, self.height, self.fps) < 1:
            raise ConfigError(
                f"width, height and fps should be positive, got {self.width} x {self.height} at {self.fps}."
            )
        if self.warmup_s < 0 or min(self.timeout_s, self.grace_s) <= 0:
            raise ConfigError(
                "warmup_s should be 0 or more, timeout_s and grace_s more, "
                f"got {self.warmup_s}, {self.timeout_s} and {self.grace_s}."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values; they need a camera."""
        return cls(serial_number_or_name="0", width=16, height=12, use_depth=True, warmup_s=0.0)
