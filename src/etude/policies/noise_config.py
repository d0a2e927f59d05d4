"""Values that policies share which make chunks of actions of noise; names are LeRobot's wherever it has them."""

from __future__ import annotations

from dataclasses import dataclass

from etude.policies.framed_config import KeypointConfig
from etude.policies.inputs import check_least, check_shares


@dataclass(frozen=True, kw_only=True)
class NoiseConfig(KeypointConfig):
    """A policy that makes chunks of noise, on condition of what was seen; a transformer can do so."""

    resize_shape: tuple[int, int] | None = None
    """Height and width that the network itself brings whole pictures to, as LeRobot does; many times slower."""
    use_separate_rgb_encoder_per_camera: bool = False
    """One picture encoder for each camera."""
    n_obs_steps: int = 2
    """Frames looked back on, this one included."""
    horizon: int = 16
    """Actions made at once, from this frame's on."""
    n_action_steps: int = 8
    """Actions to play before asking again, from this frame's on."""
    n_layer: int = 8
    """Layers of the transformer."""
    n_head: int = 4
    """Its attention heads."""
    n_emb: int = 256
    """Its width."""
    p_drop_emb: float = 0.0
    """Share of its tokens' values dropped in training."""
    p_drop_attn: float = 0.1
    """Share dropped within its layers."""
    do_mask_loss_for_padding: bool = True
    """Learn nothing from actions beyond the end of an episode."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "n_obs_steps", "n_layer", "n_head")
        check_shares(self, "p_drop_emb", "p_drop_attn")

    @property
    def num_noise(self) -> int:
        """Actions' worth of noise that a chunk is made of."""
        return self.horizon
