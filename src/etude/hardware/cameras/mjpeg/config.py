"""Values of an MJPEG camera."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A camera on the network that sends JPEG pictures over HTTP, as phones and network cameras do."""

    url: str
    """Where the stream is, such as http://127.0.0.1:8001/wrist.mjpg."""
    width: int | None = None
    """Picture width [pixels]; as the camera sends them when left out."""
    height: int | None = None
    """Picture height [pixels]; as the camera sends them when left out."""
    timeout_s: float = 2.0
    """How long to wait for a connection or a picture before connecting anew."""
    grace_s: float = 3.0
    """How long the last picture is given while none come."""

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname:
            raise ConfigError(f"url should begin with http:// or https:// and a host, got '{self.url}'.")
        sizes = [size for size in (self.width, self.height) if size is not None]
        if len(sizes) == 1:
            raise ConfigError("Give both width and height, or neither.")
        if min(sizes, default=1) < 1 or min(self.timeout_s, self.grace_s) <= 0:
            raise ConfigError(
                f"width, height, timeout_s and grace_s should be positive, got {self.width} x {self.height}, "
                f"{self.timeout_s} s and {self.grace_s} s."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values; they need a server."""
        return cls(url="http://127.0.0.1:8001/camera.mjpg", width=16, height=12, timeout_s=0.5)
