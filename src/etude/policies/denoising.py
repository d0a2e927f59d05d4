"""What policies that make chunks of noise have in common: how they see, their noise, and going on from an old chunk."""

from __future__ import annotations

from torch import Tensor

from etude.core.spec import Specs
from etude.nn.diffusion_transformer import DiffusionTransformer, Sizes
from etude.nn.heads.integrate import Guide
from etude.nn.heads.rtc import Guidance, Inpainting, OldChunk
from etude.policies.noise_config import NoiseConfig
from etude.policies.policy import NOISE, Batch
from etude.policies.realtime import DELAY, PREFIX, RealTime
from etude.policies.seeing import EncoderPerCamera, PictureEncoder, picture_encoder


def encoder_of(config: NoiseConfig, observation: Specs) -> PictureEncoder | EncoderPerCamera | None:
    """Build what encodes pictures, where there are some."""
    is_separate = config.use_separate_rgb_encoder_per_camera
    return picture_encoder(config, observation, resize=config.resize_shape, is_separate=is_separate)


def transformer_of(config: NoiseConfig, channels: int, condition: int, *, is_causal: bool) -> DiffusionTransformer:
    """Build the transformer that reads `condition` numbers of each frame beside chunks of `channels` joints."""
    sizes = Sizes(
        dim=config.n_emb,
        num_layers=config.n_layer,
        num_heads=config.n_head,
        dropout=config.p_drop_attn,
        embedding_dropout=config.p_drop_emb,
        is_causal=is_causal,
    )
    return DiffusionTransformer(channels, condition, horizon=config.horizon, num_tokens=config.n_obs_steps, sizes=sizes)


def noise_of(batch: Batch, seen: Tensor, horizon: int, channels: int) -> Tensor:
    """Give the batch's noise, or draw as much as a chunk is made of: (batch, horizon, channel)."""
    given = batch.get(NOISE)
    return seen.new_empty(len(seen), horizon, channels).normal_() if given is None else given


def old_chunk(batch: Batch, realtime: RealTime, *, total: int, before: int = 0, most: int | None = None) -> OldChunk:
    """Lay the batch's old actions over a new chunk of `total` that begins `before` ticks ago.

    At most `most` of them are certain, where that is told.
    """
    delay = batch[DELAY] if most is None else batch[DELAY].clamp(max=most)
    return OldChunk.of(
        batch[PREFIX],
        delay,
        total=total,
        schedule=realtime.prefix_attention_schedule,
        end=realtime.execution_horizon,
        before=before,
    )


def guide_of(old: OldChunk, realtime: RealTime) -> Guide:
    """Give what leads a chunk that is made of noise to go on from `old`."""
    if realtime.mode == "inpainting":
        return Inpainting(old=old)
    return Guidance(old=old, max_weight=realtime.max_guidance_weight, jacobian=realtime.jacobian)
