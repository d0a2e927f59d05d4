"""How much one episode's table may differ from the next."""

from __future__ import annotations

from dataclasses import dataclass, fields

from etude.core.errors import ConfigError

MAX_DISTRACTORS = 4


@dataclass(frozen=True, kw_only=True)
class Randomization:
    """What is drawn anew for each episode, by its seed. All is off by default, but where things lie always differs."""

    distractors: int = 0
    """Blocks of other colours that lie about, 0 to 4."""
    color: float = 0.0
    """How far red, green and blue of everything but the arm may be off, 0 to 1."""
    object_color: float = 0.0
    """How much further red, green and blue of the things that the task is about may be off, 0 to 1."""
    light: float = 0.0
    """How far the strength of each lamp may be off, 0 to 1: 0.3 means 70 to 130 %."""
    light_rad: float = 0.0
    """How far each lamp may be turned [rad]."""
    camera_m: float = 0.0
    """How far each camera may be moved along each axis [m]."""
    camera_rad: float = 0.0
    """How far each camera may be turned about each axis [rad]."""
    brightness: float = 0.0
    """How far the brightness of all pictures of an episode may be off, 0 to 1."""
    image_noise: float = 0.0
    """Standard deviation of the noise on every pixel [0 to 255]; this one is not a range."""
    friction: float = 0.0
    """How far the friction of everything that touches may be off, 0 to 1."""
    mass: float = 0.0
    """How far the mass of each thing may be off, 0 to 1."""
    backlash_deg: tuple[float, float] = (0.0, 0.0)
    """Least and most play in the gears of each servo [degrees]."""
    latency_s: tuple[float, float] = (0.0, 0.0)
    """Least and most time between the arrival of a goal and the servo's obeying it [s]."""
    astray: float = 0.0
    """In what share of the episodes the arm begins anywhere over the table, 0 to 1: ways back to learn from."""

    def __post_init__(self) -> None:
        if not 0 <= self.distractors <= MAX_DISTRACTORS:
            raise ConfigError(f"distractors should be from 0 to {MAX_DISTRACTORS}, got {self.distractors}.")
        for name in ("color", "object_color", "light", "brightness", "friction", "mass"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} should be from 0 to less than 1, got {getattr(self, name)}.")
        if not 0 <= self.astray <= 1:
            raise ConfigError(f"astray should be from 0 to 1, got {self.astray}.")
        for name in ("light_rad", "camera_m", "camera_rad", "image_noise"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} should not be negative, got {getattr(self, name)}.")
        for name in ("backlash_deg", "latency_s"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ConfigError(
                    f"{name} should be two numbers, the smaller one first and none below 0, got {low} {high}."
                )

    @property
    def is_on(self) -> bool:
        """Whether anything is drawn."""
        return any(getattr(self, field.name) != field.default for field in fields(self))

    @classmethod
    def hard(cls) -> Randomization:
        """What a real desk is like: distractors, worn gears, a late bus, noisy cameras, changing light."""
        return cls(
            distractors=2,
            brightness=0.15,
            image_noise=4.0,
            backlash_deg=(0.5, 0.5),
            latency_s=(1 / 30, 1 / 30),
        )
