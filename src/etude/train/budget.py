"""How long a training run goes on."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Budget:
    """So many updates, so many minutes of them, or both: then the run is over when the first of them is used up."""

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise ConfigError("A run ends after steps or after minutes: give at least one of them.")
        if self.steps is not None and self.steps < 0:
            raise ConfigError(f"steps should be at least 0, got {self.steps}.")
        if self.minutes is not None and not 0 < self.minutes < float("inf"):
            raise ConfigError(f"minutes should be a number above 0, got {self.minutes}.")

    def used(self, step: int, spent_s: float) -> float:
        """Tell which share is used after `step` updates that took `spent_s`: 0 at the start, 1 or more at the end."""
        of_steps = 0.0 if self.steps is None else (step / self.steps if self.steps else 1.0)
        return max(of_steps, 0.0 if self.minutes is None else spent_s / (60 * self.minutes))

    def left_s(self, step: int, spent_s: float, step_s: float) -> float:
        """Tell how many seconds of updates are left where each takes `step_s`."""
        of_steps = float("inf") if self.steps is None else (self.steps - step) * step_s
        return max(0.0, min(of_steps, float("inf") if self.minutes is None else 60 * self.minutes - spent_s))

    def __str__(self) -> str:
        """Say it."""
        parts = [] if self.minutes is None else [f"{self.minutes:g} minutes"]
        return " or ".join(parts if self.steps is None else [*parts, f"{self.steps} updates"])
