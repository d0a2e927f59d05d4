"""Values of a VQ-BeT policy; names and defaults are LeRobot's wherever it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.core.spec import Specs
from etude.core.window import Window
from etude.policies.framed_config import KeypointConfig
from etude.policies.inputs import check_least, check_shares, chosen
from etude.transforms.normalize import Mode


def _mapping() -> dict[str, Mode]:
    return {"VISUAL": Mode.IDENTITY, "STATE": Mode.MIN_MAX, "ENV": Mode.MIN_MAX, "ACTION": Mode.MIN_MAX}


@dataclass(frozen=True, kw_only=True)
class Config(KeypointConfig):
    """Behaviour transformer with vector-quantised actions (Lee et al., 2024); the defaults are the published policy.

    The first `n_vqvae_training_steps` updates learn codes for chunks of actions, and all others to choose among them.
    """

    normalization_mapping: Mapping[str, Mode] = field(default_factory=_mapping)
    crop_shape: tuple[int, int] | None = (84, 84)
    n_obs_steps: int = 5
    """Frames looked back on, this one included."""
    n_action_pred_token: int = 3
    """Chunks told ahead: that of this frame and those of the next ones; only this frame's is played."""
    action_chunk_size: int = 5
    """Actions in a chunk, all of which are played before asking again."""
    n_vqvae_training_steps: int = 20_000
    """Updates that learn codes, before all others."""
    vqvae_n_embed: int = 16
    """Codes to choose from, in each of two layers."""
    vqvae_embedding_dim: int = 256
    """Width of what a code stands for."""
    vqvae_enc_hidden_dim: int = 128
    """Width inside the encoder and the decoder of chunks."""
    vqvae_threshold_ema_dead_code: float = 0.0
    """A code that stands for fewer chunks of a batch than this, on a moving mean, starts anew from one of them. At 0,
    as in LeRobot, it drifts out of reach, and what it stands for is far from any action."""
    gpt_block_size: int = 500
    """Longest sequence of tokens."""
    gpt_input_dim: int = 512
    """Width of a token on its way in."""
    gpt_output_dim: int = 512
    """Width of a token on its way out."""
    gpt_n_layer: int = 8
    """Layers of the transformer."""
    gpt_n_head: int = 8
    """Its attention heads."""
    gpt_hidden_dim: int = 512
    """Its width."""
    dropout: float = 0.1
    """Share of values dropped in training."""
    offset_loss_weight: float = 10_000.0
    """Weight of the mean absolute error of actions in the loss."""
    primary_code_loss_weight: float = 5.0
    """Weight of the coarse code's choice."""
    secondary_code_loss_weight: float = 0.5
    """Weight of the fine code's choice."""
    bet_softmax_temperature: float = 0.1
    """How freely codes are drawn: near 0 the likeliest always is."""
    sequentially_select: bool = False
    """Choose the fine code knowing the coarse one."""
    optimizer_lr: float = 1e-4
    """Learning rate."""
    optimizer_betas: tuple[float, float] = (0.95, 0.999)
    """Decays of the gradient's mean and of its square's."""
    optimizer_eps: float = 1e-8
    """Least divisor of a step."""
    optimizer_weight_decay: float = 1e-6
    """Weight decay."""
    optimizer_vqvae_lr: float = 1e-3
    """Learning rate of the codes' encoder and decoder."""
    optimizer_vqvae_weight_decay: float = 1e-4
    """Their weight decay."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "n_obs_steps", "n_action_pred_token", "action_chunk_size", "n_vqvae_training_steps")
        check_least(
            self, 1, "vqvae_n_embed", "vqvae_embedding_dim", "vqvae_enc_hidden_dim", "gpt_n_layer", "gpt_n_head"
        )
        check_least(self, 1, "gpt_hidden_dim", "gpt_input_dim", "gpt_output_dim")
        check_least(self, 0, "vqvae_threshold_ema_dead_code")
        check_shares(self, "dropout")
        if self.gpt_hidden_dim % self.gpt_n_head:
            raise ConfigError(
                f"gpt_hidden_dim ({self.gpt_hidden_dim}) must be a multiple of gpt_n_head ({self.gpt_n_head})."
            )
        if self.bet_softmax_temperature <= 0:
            raise ConfigError(f"bet_softmax_temperature must be above 0, got {self.bet_softmax_temperature}.")

    @property
    def n_action_steps(self) -> int:
        """Actions of a chunk to play before asking again."""
        return self.action_chunk_size

    @property
    def chunk_size(self) -> int:
        """Actions of a chunk; more are learned from, for those that are told ahead."""
        return self.action_chunk_size

    @property
    def num_noise(self) -> int:
        """Actions' worth of noise that a chunk is made of: of each, the first number draws one code."""
        return 2

    @property
    def num_queries(self) -> int:
        """Chunks told at once: one for each frame looked at, and those ahead."""
        return self.n_obs_steps + self.n_action_pred_token - 1

    @property
    def window(self) -> Window:
        """The last frames, and the actions from the first of them on."""
        past = tuple(range(1 - self.n_obs_steps, 1))
        ahead = tuple(range(1 - self.n_obs_steps, self.n_action_pred_token + self.action_chunk_size - 1))
        return Window(offsets={ACTION: ahead}, past=past)

    def observes(self, specs: Specs) -> Specs:
        """Choose the robot's state, the environment's state and RGB pictures; one of the last two is needed."""
        found = chosen("VQ-BeT", specs, needs_state=True)
        tokens = self.n_obs_steps * (1 + len(found)) + self.n_action_pred_token - 1
        if tokens > self.gpt_block_size:
            raise ConfigError(
                f"gpt_block_size ({self.gpt_block_size}) must be at least {tokens} for {', '.join(found)}."
            )
        return found

    @classmethod
    def lerobot(cls) -> Config:
        """LeRobot's defaults since version 0.6: batch normalisation, for weights from ImageNet."""
        return cls(use_group_norm=False)

    @classmethod
    def small(cls) -> Config:
        """A policy that learns from states on two processor cores in minutes."""
        return cls(
            n_obs_steps=1,
            n_action_pred_token=1,
            action_chunk_size=8,
            use_relative_actions=True,
            image_size=(96, 96),
            vision_backbone="small",
            n_vqvae_training_steps=600,
            vqvae_embedding_dim=64,
            vqvae_threshold_ema_dead_code=2.0,
            gpt_block_size=64,
            gpt_input_dim=128,
            gpt_output_dim=128,
            gpt_hidden_dim=128,
            gpt_n_layer=4,
            gpt_n_head=4,
            dropout=0.0,
            offset_loss_weight=100.0,
            optimizer_lr=1e-3,
        )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size; every test uses it."""
        return cls(
            n_obs_steps=2,
            n_action_pred_token=2,
            action_chunk_size=3,
            vision_backbone="small",
            crop_shape=(40, 56),
            spatial_softmax_num_keypoints=4,
            n_vqvae_training_steps=4,
            vqvae_n_embed=4,
            vqvae_embedding_dim=8,
            vqvae_enc_hidden_dim=16,
            vqvae_threshold_ema_dead_code=1.0,
            gpt_block_size=16,
            gpt_input_dim=32,
            gpt_output_dim=32,
            gpt_n_layer=1,
            gpt_n_head=2,
            gpt_hidden_dim=32,
            dropout=0.0,
            offset_loss_weight=3.0,
            optimizer_lr=1e-3,
        )
