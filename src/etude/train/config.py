"""What a training run is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etude.core.errors import ConfigError
from etude.policies.config import PolicyConfig
from etude.train.budget import Budget
from etude.train.options import Augment, Average, Emphasis, Lora, Optimizer, Scheduler

__all__ = ["Augment", "Average", "Emphasis", "Lora", "Optimizer", "Scheduler", "TrainConfig"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Train a policy on a dataset, or on several."""

    datasets: tuple[Path, ...]
    """The datasets' folders; or a mix.json, URLs, or names on the Hugging Face Hub."""
    dataset_weights: tuple[float, ...] = ()
    """Share of samples from each of several datasets, relative to the others'. Default: their numbers of frames."""
    sample_weights: str = ""
    """Column that tells how often each frame is drawn, relative to the others."""
    drop_pauses: bool = False
    """Leave out frames in which the command stays as it was, as though they had not been recorded."""
    emphasis: Emphasis = field(default_factory=Emphasis)
    """How often frames in which a hand is about to act are drawn."""
    rename_map: Mapping[str, str] = field(default_factory=dict[str, str])
    """The policy's names of the dataset's keys, where they differ."""
    policy: PolicyConfig
    """The policy to train, with its learning rates."""
    policy_path: Path | None = None
    """Checkpoint to begin from; none begins from the config alone."""
    normalization: Literal["checkpoint", "dataset"] = "checkpoint"
    """Statistics of a policy that begins from a checkpoint: the checkpoint's, or measured anew."""
    hand: str = ""
    """Arm whose hand the policy learns to move: a known body, or a MJCF or URDF file; empty learns joints."""
    output_dir: Path
    """The run's folder; checkpoints go into `checkpoints/` there."""
    steps: int | None = 3000
    """Optimizer updates; 0 saves the untrained policy, none makes as many as `minutes` have room for."""
    minutes: float | None = None
    """Minutes of updates, by the clock of the first process; checkpoints and evaluations are not counted."""
    batch_size: int = 64
    """Samples at once, in each process."""
    grad_accum_steps: int = 1
    """Batches whose gradients make one update: memory of one, gradient of all."""
    optimizer: Optimizer = field(default_factory=Optimizer)
    """How gradients change weights."""
    scheduler: Scheduler = field(default_factory=Scheduler)
    """How learning rates rise and fall."""
    ema: Average = field(default_factory=Average)
    """The moving average of the weights."""
    lora: Lora = field(default_factory=Lora)
    """Whether adapters learn instead of all weights."""
    augment: Augment = field(default_factory=Augment)
    """Changes to training pictures."""
    holdout_episodes: int = 0
    """Last episodes of the dataset, kept for validation."""
    seed: int = 0
    """Decides the first weights, the order of samples and everything random in an update."""
    save_freq: int = 1000
    """Updates between checkpoints; the last update is always saved."""
    keep_checkpoints: int = 0
    """Newest checkpoints to keep, besides the best and the last; 0 keeps all."""
    log_freq: int = 50
    """Updates between events of progress."""
    device: str = "auto"
    """Where to train: auto, cpu, cuda, mps."""
    bf16: Literal["auto", "on", "off"] = "auto"
    """Compute in bfloat16; auto does where that is faster."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Compile the forward and backward pass; auto does on CUDA, for runs long enough to gain from it."""
    parallel: Literal["ddp", "fsdp", "deepspeed"] = "ddp"
    """What several processes share: nothing but gradients, or weights as well; only ddp is tested."""
    local_steps: int = 1
    """Updates that each of several processes makes by itself before their weights are averaged (local SGD); 1 averages
    gradients instead, at every update."""
    num_threads: int = 0
    """Processor threads; 0 leaves the choice to PyTorch."""
    streaming: bool = False
    """Draw from a few files at a time, so that not all of a remote dataset must be here at once."""
    cache_gb: float | None = None
    """Most gigabytes of decoded pictures on disk, of all datasets; 0 keeps none, nothing given: 20, or less on a full
    disk."""

    def __post_init__(self) -> None:
        ones = dict.fromkeys(("batch_size", "grad_accum_steps", "save_freq", "log_freq", "local_steps"), 1)
        zeros = dict.fromkeys(("holdout_episodes", "keep_checkpoints", "num_threads"), 0)
        for name, bound in (ones | zeros).items():
            if getattr(self, name) < bound:
                raise ConfigError(f"{name} should be at least {bound}, got {getattr(self, name)}.")
        if self.cache_gb is not None and self.cache_gb < 0:
            raise ConfigError(f"cache_gb should be at least 0, got {self.cache_gb}.")
        self._check_budget()
        if not self.datasets:
            raise ConfigError("There is nothing to learn from: name a dataset.")
        weights = self.dataset_weights
        if weights and (len(weights) != len(self.datasets) or min(weights) <= 0):
            raise ConfigError(
                f"dataset_weights should be one number above 0 for each of {len(self.datasets)} datasets, got "
                f"{', '.join(map(str, weights))}."
            )

    @property
    def budget(self) -> Budget:
        """How long the run goes on."""
        return Budget(steps=self.steps, minutes=self.minutes)

    def _check_budget(self) -> None:
        by_steps = self.scheduler.num_delay_steps or self.scheduler.num_decay_steps
        if self.budget.minutes is not None and by_steps:
            raise ConfigError(
                "With --minutes learning rates fall as time goes by: leave out --scheduler.num_delay_steps and "
                "--scheduler.num_decay_steps, which count updates, or give --steps instead."
            )
