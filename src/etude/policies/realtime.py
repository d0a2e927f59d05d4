"""How a new chunk is made to go on from the one that is being played (real-time chunking)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError

PREFIX = "prefix"
"""Key of the old chunk's actions that are still to be played (time, action), this tick's first."""
DELAY = "delay"
"""Key of how many of them will certainly be played, because the new chunk comes no sooner."""

Mode = Literal["guided", "inpainting", "trained"]
MODES: tuple[Mode, ...] = ("guided", "inpainting", "trained")


@dataclass(frozen=True, kw_only=True)
class RealTime:
    """Values of real-time chunking; names are LeRobot's where it has them."""

    mode: Mode = "guided"
    """`guided` pulls the chunk towards the old one (arXiv 2506.07339), `inpainting` puts the old one in its place, and
    `trained` is for a policy that learned to go on from given actions (arXiv 2512.05964)."""
    execution_horizon: int | None = None
    """Old actions, counted from now, that have a say in the new chunk; none for all that are left."""
    prefix_attention_schedule: Literal["LINEAR", "EXP", "ONES", "ZEROS"] = "LINEAR"
    """How their say fades after those that are played for certain."""
    max_guidance_weight: float = 10.0
    """Strongest pull of `guided`."""
    jacobian: Literal["identity", "full"] = "identity"
    """Whether the pull of `guided` goes back through the network, as published, or not, as in LeRobot: cheaper."""

    def __post_init__(self) -> None:
        if self.execution_horizon is not None and self.execution_horizon < 1:
            raise ConfigError(f"rtc.execution_horizon should be at least 1, got {self.execution_horizon}.")
        if self.max_guidance_weight <= 0:
            raise ConfigError(f"rtc.max_guidance_weight should be above 0, got {self.max_guidance_weight}.")


def check_mode(mode: Mode, config: object) -> None:
    """Raise `ConfigError` unless policies with this config can go on from an old chunk in this way."""
    known: tuple[str, ...] = getattr(config, "rtc_modes", ())
    if mode in known:
        return
    kind = type(config).__module__.rpartition(".config")[0].rpartition(".")[2]
    if known:
        raise ConfigError(
            f"This {kind} policy cannot go on from an old chunk with rtc.mode = {mode}; it can "
            f"with {' and '.join(known)}. A flow policy trained with --policy.rtc_max_delay above 0 learns to."
        )
    raise ConfigError(
        f"A policy of type {kind} cannot go on from an old chunk (rtc.mode = {mode}); diffusion and flow can. "
        "Blend its chunks instead: --policy.temporal_ensemble_coeff=0.01."
    )
