"""Values of a behaviour cloning policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.core.spec import Specs
from etude.core.window import Window
from etude.policies.framed_config import FramedConfig
from etude.policies.inputs import check_least, check_shares, chosen


@dataclass(frozen=True, kw_only=True)
class Config(FramedConfig):
    """Convolutions and linear layers from cameras and joint angles to a chunk: learned in minutes on a processor."""

    vision_backbone: str = "small"
    """Picture encoder, one for each camera: `small`, resnet18, resnet34, or a vision model of transformers."""
    image_size: tuple[int, int] | None = (96, 96)
    """Height and width to bring pictures to before the network sees them, by averaging areas, as datasets do while they
    decode; none leaves them as they are."""
    use_relative_actions: bool = True
    """Predict actions as differences from the present state."""
    chunk_size: int = 30
    """Actions predicted at once."""
    n_action_steps: int = 8
    """Actions of a chunk to play before asking again."""
    look_ahead: tuple[int, ...] = (40, 50, 60, 75, 90, 110)
    """Later actions to predict as well, in ticks from now: they are not played, but say early where it is going."""
    look_ahead_weight: float = 0.5
    """Weight of their error in the loss."""
    hidden_dims: tuple[int, ...] = (512, 512, 512)
    """Widths of the linear layers."""
    dropout: float = 0.0
    """Share of values dropped between them in training."""
    action_loss: Literal["l1", "l2", "huber"] = "l1"
    """Error of actions to learn from: absolute; squared; or squared below 1 and absolute above."""
    optimizer_lr: float = 1e-3
    """Learning rate."""
    optimizer_weight_decay: float = 1e-4
    """Weight decay."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 0, "look_ahead_weight")
        check_shares(self, "dropout")
        if not 1 <= self.n_action_steps <= self.chunk_size:
            raise ConfigError(
                f"n_action_steps ({self.n_action_steps}) must lie between 1 and chunk_size ({self.chunk_size})."
            )
        if not self.hidden_dims or min(self.hidden_dims) < 1:
            raise ConfigError(f"hidden_dims should be at least one number above 0, got {list(self.hidden_dims)}.")
        if any(step < self.chunk_size for step in self.look_ahead):
            raise ConfigError(
                f"look_ahead should be ticks after the chunk, {self.chunk_size} or more, got {list(self.look_ahead)}."
            )

    @property
    def num_noise(self) -> int:
        """No noise: nothing is sampled."""
        return 0

    @property
    def window(self) -> Window:
        """This action, those that follow it, and a few later ones."""
        return Window(offsets={ACTION: (*range(self.chunk_size), *self.look_ahead)})

    def observes(self, specs: Specs) -> Specs:
        """Choose the robot's state, the environment's state and RGB pictures; one of the last two is needed."""
        return chosen("Behaviour cloning", specs)

    @classmethod
    def states(cls) -> Config:
        """For a robot that is told where things are."""
        return cls(chunk_size=16, n_action_steps=8, look_ahead=())

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size; every test uses it."""
        return cls(chunk_size=5, n_action_steps=2, look_ahead=(6, 8), image_size=None, hidden_dims=(32,))
