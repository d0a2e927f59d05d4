"""When a run has stopped getting better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Patience:
    """When a run has stopped getting better."""

    patience: int = 0
    """Scores in a row that may fail to be the best before the run ends; 0 never ends it early."""
    metric: Literal["validation_loss", "success_rate"] = "validation_loss"
    """Less loss on held-out episodes, or more success in simulation."""
    min_delta: float = 0.0
    """What a score must gain to count as better."""

    def __post_init__(self) -> None:
        if self.patience < 0 or self.min_delta < 0:
            raise ConfigError(
                f"early_stopping.patience and .min_delta should be at least 0, got {self.patience}, {self.min_delta}."
            )

    def waited(self, scores: Mapping[int, float]) -> tuple[int, int]:
        """Give the step of the best of `scores`, by step, and how many have come since without being better."""
        sign = -1.0 if self.metric == "validation_loss" else 1.0
        best, since = -1, 0
        for step in sorted(scores):
            if best < 0 or sign * (scores[step] - scores[best]) > self.min_delta:
                best, since = step, 0
            else:
                since += 1
        return best, since
