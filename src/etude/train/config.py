"""What a training run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etude.core.errors import ConfigError
from etude.policies.config import PolicyConfig


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Changes to training pictures that the policy should not care about."""

    shift_px: int = 4
    """Moves each picture by up to this many pixels both ways; 0 leaves it."""
    brightness: float = 0.1
    """Brightens or darkens by up to this share; 0 leaves it."""

    def __post_init__(self) -> None:
        if self.shift_px < 0 or not 0 <= self.brightness < 1:
            raise ConfigError(
                f"shift_px should be at least 0 and brightness in [0, 1), got {self.shift_px} and {self.brightness}."
            )


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Train a policy on a dataset."""

    dataset: Path
    """The dataset's folder."""
    policy: PolicyConfig
    """The policy to train, with its learning rates."""
    output_dir: Path
    """The run's folder; checkpoints go into `checkpoints/` there."""
    steps: int = 3000
    """Optimizer updates; 0 saves the untrained policy."""
    batch_size: int = 64
    """Samples per update."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How learning rates go on after the warm-up: down to nothing, or unchanged."""
    warmup_steps: int = 100
    """Updates over which learning rates rise from nothing."""
    grad_clip_norm: float = 1.0
    """Longest gradient; longer ones are shortened to it."""
    ema_decay: float = 0.999
    """Decay of the weights' moving average, which is what checkpoints act with; 0 uses the newest weights."""
    augment: Augment = field(default_factory=Augment)
    """Changes to training pictures."""
    holdout_episodes: int = 0
    """Last episodes of the dataset, kept for validation."""
    seed: int = 0
    """Decides the first weights and the order of samples."""
    save_freq: int = 1000
    """Updates between checkpoints; the last update is always saved."""
    log_freq: int = 50
    """Updates between events of progress."""
    device: str = "auto"
    """Where to train: auto, cpu, cuda, mps."""
    bf16: Literal["auto", "on", "off"] = "auto"
    """Compute in bfloat16; auto does where that is faster."""
    num_threads: int = 0
    """Processor threads; 0 leaves the choice to PyTorch."""
    streaming: bool = False
    """Draw from a few files at a time, so that not all of a remote dataset must be here at once."""
    cache_gb: float | None = None
    """Most gigabytes of decoded pictures on disk, of all datasets; 0 keeps none, nothing given: 20, or less on a full
    disk."""

    def __post_init__(self) -> None:
        least = {"steps": 0, "batch_size": 1, "warmup_steps": 0, "holdout_episodes": 0, "save_freq": 1, "log_freq": 1}
        for name, bound in (least | {"num_threads": 0}).items():
            if getattr(self, name) < bound:
                raise ConfigError(f"{name} should be at least {bound}, got {getattr(self, name)}.")
        if self.cache_gb is not None and self.cache_gb < 0:
            raise ConfigError(f"cache_gb should be at least 0, got {self.cache_gb}.")
        if not 0 <= self.ema_decay < 1 or self.grad_clip_norm <= 0:
            raise ConfigError(
                f"ema_decay should be in [0, 1) and grad_clip_norm above 0, got {self.ema_decay} and "
                f"{self.grad_clip_norm}."
            )
