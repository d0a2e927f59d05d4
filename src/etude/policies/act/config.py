"""Values of an ACT policy; names and defaults are LeRobot's wherever it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from etude.core.errors import ConfigError
from etude.core.frame import ACTION, images
from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.core.window import Window
from etude.policies.framed_config import FramedConfig, mean_std
from etude.policies.inputs import check_least, check_shares, chosen, imagenet_stats, is_vision_model
from etude.transforms.normalize import Mode
from etude.transforms.pipeline import Pipeline


def _mapping() -> dict[str, Mode]:
    return {"VISUAL": Mode.MEAN_STD, "STATE": Mode.MEAN_STD, "ACTION": Mode.MEAN_STD}


@dataclass(frozen=True, kw_only=True)
class Config(FramedConfig):
    """Action Chunking Transformer; the defaults are the published policy, `small` is for a laptop's processor."""

    normalization_mapping: Mapping[str, Mode] = field(default_factory=_mapping)
    chunk_size: int = 100
    """Actions predicted at once."""
    n_action_steps: int = 100
    """Actions of a chunk to play before asking again."""
    use_imagenet_stats: bool = True
    """Normalise pictures by ImageNet's mean and deviation instead of the dataset's."""
    image_tokens: Literal["map", "flat"] = "map"
    """One token for each place of a camera's map, or one for the whole map, which is many times faster."""
    pre_norm: bool = False
    """Normalise before each layer instead of after it."""
    dim_model: int = 512
    """Width of a token."""
    n_heads: int = 8
    """Attention heads."""
    dim_feedforward: int = 3200
    """Width inside the two linear layers of each transformer layer."""
    feedforward_activation: Literal["relu", "gelu"] = "relu"
    """What stands between them."""
    n_encoder_layers: int = 4
    """Layers over the observation."""
    n_decoder_layers: int = 1
    """Layers over the actions; the original declares 7 and uses the first."""
    use_vae: bool = True
    """Learn from which of several ways a demonstration took, through a latent that is zero when acting."""
    latent_dim: int = 32
    """Size of that latent."""
    n_vae_encoder_layers: int = 4
    """Layers over the demonstrated actions."""
    temporal_ensemble_coeff: float | None = None
    """Blend overlapping chunks with weights exp(-coeff * age rank), oldest first; none plays the newest only."""
    dropout: float = 0.1
    """Share of values dropped in training."""
    action_loss: Literal["l1", "l2", "huber"] = "l1"
    """Error of actions to learn from: absolute, as published; squared; or squared below 1 and absolute above."""
    kl_weight: float = 10.0
    """Weight of the latent's divergence in the loss."""
    optimizer_lr: float = 1e-5
    """Learning rate."""
    optimizer_weight_decay: float = 1e-4
    """Weight decay."""
    optimizer_lr_backbone: float = 1e-5
    """Learning rate of the picture encoder."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "n_heads", "dim_feedforward", "latent_dim")
        check_least(self, 1, "n_encoder_layers", "n_decoder_layers", "n_vae_encoder_layers")
        check_shares(self, "dropout")
        if self.dim_model % self.n_heads or self.dim_model % 4:
            raise ConfigError(f"dim_model ({self.dim_model}) must be a multiple of n_heads ({self.n_heads}) and of 4.")
        if not 1 <= self.n_action_steps <= self.chunk_size:
            raise ConfigError(
                f"n_action_steps ({self.n_action_steps}) must lie between 1 and chunk_size ({self.chunk_size})."
            )

    @property
    def num_noise(self) -> int:
        """No noise: the latent is zero when acting."""
        return 0

    @property
    def window(self) -> Window:
        """This action and those that follow it."""
        return Window(offsets={ACTION: tuple(range(self.chunk_size))})

    def observes(self, specs: Specs) -> Specs:
        """Choose the robot's state, the environment's state and RGB pictures; one of the last two is needed."""
        return chosen("ACT", specs)

    def pipeline(self, stats: Mapping[str, Stats], observation: Specs, action: Spec) -> Pipeline:
        """Rewrite frames, bring pictures to 0..1, then normalise by `stats`; pictures by ImageNet's, where it is so."""
        if self.use_imagenet_stats and not is_vision_model(self.vision_backbone):
            stats = dict(stats) | dict.fromkeys(images(observation), imagenet_stats())
        return super().pipeline(stats, observation, action)

    @classmethod
    def ensembled(cls) -> Config:
        """The published way to play: ask at every tick, and blend all chunks that have an action for it."""
        return cls(n_action_steps=1, temporal_ensemble_coeff=0.01)

    @classmethod
    def small(cls) -> Config:
        """A policy that learns pick-and-place on two processor cores in minutes."""
        return cls(
            chunk_size=30,
            n_action_steps=4,
            image_size=(96, 96),
            normalization_mapping=mean_std(),
            use_relative_actions=True,
            vision_backbone="small",
            image_tokens="flat",
            pre_norm=True,
            dim_model=256,
            n_heads=4,
            dim_feedforward=512,
            n_encoder_layers=2,
            use_vae=False,
            dropout=0.0,
            optimizer_lr=1e-3,
            optimizer_lr_backbone=1e-3,
        )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size; every test uses it."""
        return cls(
            chunk_size=4,
            n_action_steps=2,
            image_size=(32, 32),
            use_relative_actions=True,
            vision_backbone="small",
            image_tokens="flat",
            dim_model=16,
            n_heads=2,
            dim_feedforward=32,
            n_encoder_layers=1,
            latent_dim=4,
            n_vae_encoder_layers=1,
            dropout=0.0,
            optimizer_lr=1e-3,
            optimizer_lr_backbone=1e-3,
        )
