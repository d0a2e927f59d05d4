"""What can be chosen about PushT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A T on a plane, seen from above, to be pushed by a round finger to where its outline is drawn."""

    task: Literal["PushT-v0"] = "PushT-v0"
    """The only one."""
    obs_type: Literal["pixels_agent_pos", "environment_state_agent_pos"] = "pixels_agent_pos"
    """Whether the T is seen in a picture, or by eight of its points."""
    episode_length: int = 300
    """Ticks after which an episode has failed."""
    observation_width: int = 96
    """Width of the picture [pixels]."""
    observation_height: int = 96
    """Height of the picture [pixels]."""

    def __post_init__(self) -> None:
        if min(self.episode_length, self.observation_width, self.observation_height) < 1:
            raise ConfigError("episode_length, observation_width and observation_height should be at least 1.")

    @classmethod
    def keypoints(cls) -> Self:
        """The T by eight of its points, so that nothing need be drawn."""
        return cls(obs_type="environment_state_agent_pos")

    @classmethod
    def tiny(cls) -> Self:
        """Smallest working size."""
        return cls(episode_length=20, observation_width=16, observation_height=16)
