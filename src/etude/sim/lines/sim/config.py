"""What can be chosen about a simulated line: the arm at its other end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """The wire to the servos of an arm in this process's world."""

    body: str = "so101"
    """The body that the servos move; an arm of that body joins the world."""
    is_leader: bool = False
    """Whether a person moves it."""
    name: str = ""
    """Tells arms of one body apart, such as `left` and `right`."""
    baud_rate: int = 1_000_000
    """Bits per second; a servo set to another rate is silent."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls()
