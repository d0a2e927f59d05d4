"""Values of a serial line."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A serial port, such as the USB adapter of a motor bus."""

    port: str
    """Path or name of the port, such as `/dev/ttyACM0` or `COM3`."""
    baud_rate: int = 1_000_000
    """Bits per second."""

    def __post_init__(self) -> None:
        if self.baud_rate <= 0:
            raise ConfigError(f"baud_rate should be positive, got {self.baud_rate}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: a port that every test must replace."""
        return cls(port="/dev/null")
