"""What can be chosen about an environment that Gymnasium knows by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """Any Gymnasium environment that observes vectors and pictures and takes a vector."""

    id: str
    """Its name, such as Pendulum-v1; MODULE:NAME first imports the module that registers it."""
    options: str = "{}"
    """What it is made with, as JSON: {"obs_type": "pixels_agent_pos"}."""
    hz: float = 0.0
    """Control ticks per second; 0: as many as it says pictures are shown."""
    episode_length: int = 300
    """Ticks after which an episode has failed."""

    def __post_init__(self) -> None:
        if self.hz < 0 or self.episode_length < 1:
            raise ConfigError(
                f"hz should be at least 0 and episode_length at least 1, got {self.hz} and {self.episode_length}."
            )
        self.choices()

    def choices(self) -> dict[str, Any]:
        """Read `options`; raise `ConfigError` where they are not a JSON object."""
        try:
            found = json.loads(self.options)
        except json.JSONDecodeError as error:
            raise ConfigError(f"options = {self.options} cannot be read as JSON: {error}.") from error
        if not isinstance(found, dict):
            raise ConfigError(f'options should be an object such as {{"width": 96}}, got {self.options}.')
        return found

    @classmethod
    def tiny(cls) -> Self:
        """Push a puck, as Gymnasium sees it."""
        return cls(id="etude.envs.gym:etude/Push-v0", options='{"width": 16, "height": 12}', episode_length=20)
