"""Values of a camera on another computer, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError
from etude.hardware.cameras.source import ColorMode


@dataclass(frozen=True, kw_only=True)
class Config:
    """A camera that another computer sends over ZeroMQ, as the LeRobot image server does."""

    server_address: str
    """Name or number of the other computer."""
    port: int = 5555
    """Its port."""
    camera_name: str = "zmq_camera"
    """Which of its cameras; if it sends one only, that one."""
    width: int | None = None
    """Picture width [pixels]; as it is sent when left out."""
    height: int | None = None
    """Picture height [pixels]; as it is sent when left out."""
    color_mode: ColorMode = "rgb"
    """Order of the colours; datasets and policies expect rgb."""
    timeout_ms: int = 5000
    """How long to wait for a picture before connecting anew [ms]."""
    grace_s: float = 3.0
    """How long the last picture is given while none come."""

    def __post_init__(self) -> None:
        if not self.server_address:
            raise ConfigError("server_address is the name or number of the computer that sends the pictures.")
        if not 0 < self.port < 2**16:
            raise ConfigError(f"port should be 1 to 65535, got {self.port}.")
        if (self.width is None) != (self.height is None):
            raise ConfigError("Give both width and height, or neither.")
        if min(self.width or 1, self.height or 1, self.timeout_ms, self.grace_s) <= 0:
            raise ConfigError(
                "width, height, timeout_ms and grace_s should be positive, "
                f"got {self.width} x {self.height}, {self.timeout_ms} and {self.grace_s}."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values; they need a server."""
        return cls(server_address="127.0.0.1", width=16, height=12, timeout_ms=100)
