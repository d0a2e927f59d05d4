"""Values of a camera that plays a film."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A film instead of a camera: for tests, measurements and first steps without one."""

    path: str
    """Video file, or pictures such as frames/%03d.png."""
    width: int | None = None
    """Picture width [pixels]; the film's when left out."""
    height: int | None = None
    """Picture height [pixels]; the film's when left out."""
    fps: float | None = None
    """Pictures per second; the film's when left out."""
    is_live: bool = True
    """Whether pictures come by themselves and can be missed; otherwise every reading gives the next one, at once."""
    loop: bool = True
    """Whether the film begins anew when it is over."""
    grace_s: float = 3.0
    """How long the last picture is given while none come."""

    def __post_init__(self) -> None:
        if (self.width is None) != (self.height is None):
            raise ConfigError("Give both width and height, or neither.")
        if min(self.width or 1, self.height or 1, self.fps or 1, self.grace_s) <= 0:
            raise ConfigError(
                "width, height, fps and grace_s should be positive, "
                f"got {self.width} x {self.height}, {self.fps} and {self.grace_s}."
            )

    @property
    def stays_in_process(self) -> bool:
        """Whether it waits for its reader, and so can have only one."""
        return not self.is_live

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values; they need a film."""
        return cls(path="film.avi", width=16, height=12, fps=200.0)
