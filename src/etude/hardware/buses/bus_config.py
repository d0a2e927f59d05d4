"""What can be chosen about any bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class BusConfig:
    """A wire with motors on it; each family's config is one of these."""

    port: str = "sim"
    """Serial port, such as /dev/ttyACM0, or `sim` for a simulated arm."""
    baud_rate: int = 1_000_000
    """Bits per second."""
    body: str = "so101"
    """The arm that is simulated behind the port `sim`."""
    is_leader: bool = False
    """Whether a person moves that simulated arm."""
    retries: int = 2
    """How often a lost answer is asked for again."""
    patience: int = 5
    """Ticks in a row for which a motor may be silent in a control loop."""
    reconnect_s: float = 10.0
    """How long to wait for an unplugged adapter to come back [s]."""

    def __post_init__(self) -> None:
        for name in ("baud_rate", "patience"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} should be positive, got {getattr(self, name)}.")
        for name in ("retries", "reconnect_s"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} should not be negative, got {getattr(self, name)}.")

    @classmethod
    def tiny(cls) -> Self:
        """Smallest working values: the simulated arm."""
        return cls()
