"""What policies that sample have in common in going on from an old chunk."""

from __future__ import annotations

from etude.nn.heads.integrate import Guide
from etude.nn.heads.rtc import Guidance, Inpainting, OldChunk
from etude.policies.policy import Batch
from etude.policies.realtime import DELAY, PREFIX, RealTime


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
