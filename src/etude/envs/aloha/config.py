"""What can be chosen about the simulated ALOHA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """Two ViperX arms, 14 joints, and a camera above: one hands a cube to the other, or a peg goes into a socket."""

    task: Literal["AlohaInsertion-v0", "AlohaTransferCube-v0"] = "AlohaInsertion-v0"
    """Peg and socket, or the cube."""
    obs_type: Literal["pixels_agent_pos", "pixels"] = "pixels_agent_pos"
    """Whether the joints are observed besides the picture."""
    episode_length: int = 400
    """Ticks after which an episode has failed."""
    observation_width: int = 640
    """Width of the picture [pixels]."""
    observation_height: int = 480
    """Height of the picture [pixels]."""
    quality: Literal["published", "fast"] = "published"
    """Pictures as gym-aloha draws them and its datasets show them, or five times faster without shadows and smooth
    edges."""

    def __post_init__(self) -> None:
        if min(self.episode_length, self.observation_width, self.observation_height) < 1:
            raise ConfigError("episode_length, observation_width and observation_height should be at least 1.")

    @classmethod
    def fast(cls) -> Self:
        """Drawn fast; not for policies that learned from pictures with shadows."""
        return cls(quality="fast")

    @classmethod
    def tiny(cls) -> Self:
        """Smallest working size."""
        return cls(episode_length=20, observation_width=32, observation_height=24, quality="fast")
