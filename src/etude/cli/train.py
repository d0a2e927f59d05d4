"""`etude train`: a policy learns from a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from etude.cli.console import ProgressLine, progress, say
from etude.cli.options import spare_a_core
from etude.cli.slots import Slot
from etude.core.errors import UserError
from etude.policies import policies
from etude.train.options import Augment, Average, Optimizer, Scheduler

if TYPE_CHECKING:
    from etude.train.watchers import Watcher


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """The demonstrations."""

    root: Path
    """The dataset's folder; or a mix.json, a URL, or a name on the Hugging Face Hub."""
    repo_id: str = ""
    """The dataset's name; the folder decides."""
    streaming: bool = False
    """Draw from a few files at a time, so that not all of a remote dataset must be here at once."""


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a policy on a dataset. Ctrl-C saves and stops; --resume goes on exactly where it was."""

    dataset: TrainingData
    """The demonstrations."""
    policy: Annotated[Any, Slot(policies, "act", preset="small")]
    """The policy."""
    output_dir: Path | None = None
    """The run's folder. Default: outputs/train/DATE/TIME."""
    resume: bool = False
    """Go on with the run in --output_dir, as it was configured; --steps may be raised."""
    steps: int = 3000
    """Optimizer updates; 0 saves the untrained policy."""
    batch_size: int = 64
    """Samples at once."""
    grad_accum_steps: int = 1
    """Batches whose gradients make one update: memory of one, gradient of all."""
    optimizer: Optimizer = field(default_factory=Optimizer)
    """How gradients change weights; learning rate and weight decay are the policy's."""
    scheduler: Scheduler = field(default_factory=Scheduler)
    """How learning rates rise and fall."""
    ema: Average = field(default_factory=Average)
    """The moving average of the weights, which is what checkpoints act with."""
    augment: Augment = field(default_factory=Augment)
    """Changes to training pictures."""
    holdout_episodes: int | None = None
    """Last episodes, kept from training to measure the error of predicted actions on. Default: 2 of 10 or more."""
    seed: int = 0
    """Decides the first weights and the order of samples."""
    save_freq: int = 1000
    """Updates between checkpoints."""
    keep_checkpoints: int = 0
    """Newest checkpoints to keep, besides the best and the last; 0 keeps all."""
    log_freq: int = 50
    """Updates between progress events."""
    device: str = "auto"
    """Where to train: auto, cpu, cuda, mps."""
    bf16: Literal["auto", "on", "off"] = "auto"
    """Compute in bfloat16; auto does where that is faster."""
    num_threads: int = 0
    """Processor threads; 0: all cores but one."""
    cache_gb: float | None = None
    """Most gigabytes of decoded pictures kept on disk for the next pass and the next run; 0 keeps none. Default: 20, or
    a quarter of what the disk has free."""


COMMAND = Train

HELD_OUT, ENOUGH_TO_HOLD_OUT = 2, 10
SAME_NAME = (
    "policy", "steps", "batch_size", "grad_accum_steps", "seed", "save_freq", "keep_checkpoints", "log_freq", "device",
    "bf16", "cache_gb", "optimizer", "scheduler", "ema", "augment",
)  # fmt: skip
"""Options that the trainer calls by the same name."""


def run(command: Train) -> int:
    """Train, with a bar; then say where the checkpoint is and how it does on episodes it has not seen."""
    from etude.cli.parse import encode
    from etude.core.run import default_folder, start
    from etude.train.config import TrainConfig
    from etude.train.loop import train

    if command.resume and command.output_dir is None:
        raise UserError("Which run goes on? --resume needs --output_dir=RUN.")
    folder = command.output_dir or default_folder("train")
    options = {name: getattr(command, name) for name in SAME_NAME}
    held_out = _held_out(command)
    config = TrainConfig(
        datasets=(command.dataset.root,),
        streaming=command.dataset.streaming,
        output_dir=folder,
        holdout_episodes=held_out,
        num_threads=command.num_threads or spare_a_core(),
        **options,
    )
    stored = start("train", encode(replace(command, resume=False)), folder)
    with progress("Training", command.steps) as line:
        last = train(config, resume=command.resume, watchers=[_bar(line)], say=say)
    _report(stored.events, held_out)
    say(f"Checkpoint: {last}")
    return 0


def _bar(line: ProgressLine) -> Watcher:
    """Make the watcher that moves the bar."""
    from etude.train.watchers import Watcher

    class Bar(Watcher):
        def step(self, step: int, values: Mapping[str, float]) -> None:
            told = f"loss {values['loss']:.4f}, {values['samples_per_s']:.0f} samples/s, {values['eta_s']:.0f} s left"
            line.update(step, told)

    return Bar()


def _held_out(command: Train) -> int:
    """Hold out episodes when there are enough, or as many as was asked for."""
    from etude.data import open_dataset

    if command.holdout_episodes is not None:
        return command.holdout_episodes
    return HELD_OUT if len(open_dataset(command.dataset.root).episodes) >= ENOUGH_TO_HOLD_OUT else 0


def _report(events: Path, held_out: int) -> None:
    """Say how far predicted actions are from demonstrated ones, beside two guesses that know nothing."""
    from etude.core.events import read_events

    horizons = {"validation_played": "the actions that are played", "validation": "whole chunks"}
    last = {event["kind"]: event for event in read_events(events) if event["kind"] in horizons}
    for kind, score in last.items():
        hold = f", holding the last state: {score['hold_state']:.4f}" if score["hold_state"] is not None else ""
        say(
            f"Open-loop error of {horizons[kind]} on {held_out} held-out episodes, in the dataset's units: "
            f"{score['policy']:.4f} (always the mean action: {score['mean_action']:.4f}{hold})"
        )
