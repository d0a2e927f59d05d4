"""What `etude doctor` says of one thing it looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    is_well: bool
    what: str

    def __str__(self) -> str:
        return f"{'ok     ' if self.is_well else 'trouble'}  {self.what}"
