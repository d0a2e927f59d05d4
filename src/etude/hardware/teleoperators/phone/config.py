"""Values of the phone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from etude.core.errors import ConfigError
from etude.hardware.teleoperators.steps import HandConfig


@dataclass(frozen=True, kw_only=True)
class Config(HandConfig):
    """Moves the hand as a phone is moved, or by the pads of a page that this serves."""

    host: str = "127.0.0.1"
    """Address to serve at; 0.0.0.0 lets phones in the same network in, with the code of the printed address."""
    port: int = 4443
    """Port to serve at; 0 takes a free one."""
    scale: float = 1.0
    """How far the hand moves when the phone moves by one."""
    key_dir: Path | None = None
    """Folder of the key that encrypts the line; Etude's own when left out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale <= 0:
            raise ConfigError(f"scale should be positive, got {self.scale}.")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port should be from 0 to 65535, got {self.port}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: any free port."""
        return cls(port=0)
