"""`etude train`: a policy learns from a dataset."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from etude.cli.console import progress, say
from etude.cli.options import spare_a_core
from etude.cli.slots import Slot
from etude.cli.train_watchers import Evaluation, watchers_of
from etude.cli.train_words import expand
from etude.core.errors import ConfigError, UserError
from etude.envs import envs
from etude.policies import policies
from etude.train.options import Augment, Average, Emphasis, Lora, Optimizer, Scheduler
from etude.train.patience import Patience

if TYPE_CHECKING:
    from etude.train.config import TrainConfig

__all__ = ["COMMAND", "Train", "expand", "run"]


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """The demonstrations."""

    root: tuple[Path, ...] | Path = ()
    """The dataset's folder; or a mix.json, a URL, or a name on the Hugging Face Hub. Given several times: all."""
    repo_id: str = ""
    """The dataset's name, where no folder is given."""
    weights: tuple[float, ...] = ()
    """Share of samples from each of several datasets, relative to the others'. Default: their numbers of frames."""
    sample_weights: str = ""
    """Column that tells how often each frame is drawn, relative to the others."""
    streaming: bool = False
    """Draw from a few files at a time, so that not all of a remote dataset must be here at once."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """All datasets."""
        root = (self.root,) if isinstance(self.root, Path) else self.root
        if not root and not self.repo_id:
            raise UserError("What is there to learn from? Give --dataset.root=FOLDER or --dataset.repo_id=NAME.")
        return root or (Path(self.repo_id),)


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a policy on a dataset. Ctrl-C saves and stops; --resume goes on exactly where it was.

    --policy.path=CHECKPOINT begins from a trained policy, Etude's or LeRobot's.
    """

    dataset: TrainingData = field(default_factory=TrainingData)
    """The demonstrations."""
    policy: Annotated[Any, Slot(policies, "act", preset="small", reads="etude.policies.checkpoint:read_config")]
    """The policy."""
    policy_path: Path | None = None
    """What --policy.path says: the checkpoint to begin from."""
    normalization: Literal["checkpoint", "dataset"] = "checkpoint"
    """Statistics of a policy that begins from a checkpoint: the checkpoint's own, or measured on the dataset."""
    rename_map: str = ""
    """The policy's names of the dataset's keys, where they differ: '{"dataset key": "policy key"}'."""
    drop_pauses: bool = False
    """Leave out frames in which the command stays as it was, as though they had not been recorded."""
    emphasis: Emphasis = field(default_factory=Emphasis)
    """How often frames in which a hand is about to act are drawn: those decide, and they are few."""
    hand: str = ""
    """Learn where the hand goes instead of the joints: the arm, such as so101, or its MJCF or URDF file."""
    output_dir: Path | None = None
    """The run's folder. Default: outputs/train/DATE/TIME."""
    resume: bool = False
    """Go on with the run in --output_dir, as it was configured; --steps and --minutes may be raised."""
    steps: int | None = None
    """Optimizer updates; 0 saves the untrained policy. Default: 3000, or with --minutes as many as fit."""
    minutes: float | None = None
    """Minutes of updates, over which learning rates fall, on as many processes as there are. What it takes to start, to
    save checkpoints and to evaluate comes on top. With --steps as well, what is used up first ends the run."""
    batch_size: int = 64
    """Samples at once, in each process."""
    grad_accum_steps: int = 1
    """Batches whose gradients make one update: memory of one, gradient of all."""
    optimizer: Optimizer = field(default_factory=Optimizer)
    """How gradients change weights; learning rate and weight decay are the policy's."""
    scheduler: Scheduler = field(default_factory=Scheduler)
    """How learning rates rise and fall."""
    ema: Average = field(default_factory=Average)
    """The moving average of the weights, which is what checkpoints act with."""
    lora: Lora = field(default_factory=Lora)
    """Adapters that learn in place of all weights; a checkpoint has them merged into the weights, and by themselves."""
    augment: Augment = field(default_factory=Augment)
    """Changes to training pictures."""
    holdout_episodes: int | None = None
    """Last episodes, kept from training to measure the error of predicted actions on. Default: 2 of 10 or more."""
    seed: int = 0
    """Decides the first weights, the order of samples and everything random in an update."""
    save_freq: int = 1000
    """Updates between checkpoints."""
    keep_checkpoints: int = 0
    """Newest checkpoints to keep, besides the best and the last; 0 keeps all."""
    log_freq: int = 50
    """Updates between progress events."""
    tracking: str = ""
    """Where else progress goes, besides this screen and events.jsonl: any of tensorboard, wandb and trackio, separated
    by commas."""
    tracking_project: str = "etude"
    """What runs are filed under there."""
    env: Annotated[Any, Slot(envs, "pusht", is_optional=True)] = None
    """Where the policy is tried out in simulation while it learns."""
    eval_freq: int = 0
    """Updates between evaluations in --env.type; 0: as many as between checkpoints."""
    eval: Evaluation = field(default_factory=Evaluation)
    """What is counted there; the checkpoint with most successes is the best."""
    early_stopping: Patience = field(default_factory=Patience)
    """Whether the run ends when it no longer gets better."""
    profile: int = 0
    """Updates to look into: leaves a trace and a summary of where their time goes in the run's folder."""
    device: str = "auto"
    """Where to train: auto, cpu, cuda, mps."""
    bf16: Literal["auto", "on", "off"] = "auto"
    """Compute in bfloat16; auto does where that is faster."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Compile the forward and backward pass; auto does on CUDA, for runs long enough to gain from it."""
    num_processes: int = 1
    """Processes to start, one for each GPU. Or start them by `torchrun -m etude train` or `accelerate launch`."""
    parallel: Literal["ddp", "fsdp", "deepspeed"] = "ddp"
    """What they share: gradients, or weights as well. FSDP and DeepSpeed are untested."""
    local_steps: int = 1
    """Updates that each process makes by itself before their weights are averaged (local SGD); 1 averages gradients
    instead, at every update. On processors this is faster."""
    num_threads: int = 0
    """Processor threads of each process; 0: all cores but one, divided."""
    cache_gb: float | None = None
    """Most gigabytes of decoded pictures kept on disk for the next pass and the next run; 0 keeps none. Default: 20, or
    a quarter of what the disk has free."""


COMMAND = Train

STEPS = 3000
HELD_OUT, ENOUGH_TO_HOLD_OUT = 2, 10
SAME_NAME = (
    "policy", "policy_path", "normalization", "drop_pauses", "emphasis", "hand", "minutes", "batch_size",
    "grad_accum_steps",
    "optimizer", "scheduler", "ema", "lora", "augment", "seed", "save_freq", "keep_checkpoints", "log_freq", "device",
    "bf16", "compile", "parallel", "local_steps", "cache_gb",
)  # fmt: skip
"""Options that the trainer calls by the same name."""


def run(command: Train) -> int:
    """Train, with a bar; then say where the checkpoint is and how it does on episodes it has not seen."""
    from etude.core.run import check_folder, default_folder

    if command.resume and command.output_dir is None:
        raise UserError("Which run goes on? --resume needs --output_dir=RUN.")
    folder = command.output_dir or default_folder("train")
    check_folder("train", folder)
    command = replace(command, output_dir=folder)
    if command.num_processes > 1 and "WORLD_SIZE" not in os.environ:
        return _launched(command)
    return _trained(command)


def _trained(command: Train) -> int:
    from etude.cli.parse import encode
    from etude.cli.train_report import Bar, Listed, report
    from etude.train.loop import train
    from etude.train.parallel import process_index

    config = _config(command)
    if process_index():
        train(config, resume=command.resume)
        return 0
    listed = Listed(encode(replace(command, resume=False)), config.output_dir)
    watchers = [*watchers_of(command), listed]
    if config.lora.rank and config.policy_path is None:
        say("Adapters learn beside weights that stay, here random ones: name trained ones by --policy.path.")
    is_timed = config.minutes is not None
    with progress("Training", round(60 * config.minutes) if config.minutes else config.steps or 0) as line:
        bar = Bar(line, is_timed=is_timed)
        last = train(config, resume=command.resume, watchers=[bar, *watchers], say=say)
    report(config.output_dir / "events.jsonl", config.holdout_episodes)
    say(f"Checkpoint: {last}")
    return 0


def _launched(command: Train) -> int:
    """Start the processes, each of which reads the command as a stored run."""
    from etude.cli.parse import encode
    from etude.train.launch import launch

    with tempfile.TemporaryDirectory(prefix="etude-train-") as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps({"command": "train", "config": encode(command)}), encoding="utf-8")
        return launch(command.num_processes, ["train", f"--config={path}"])


def _config(command: Train) -> TrainConfig:
    from etude.train.config import TrainConfig
    from etude.train.parallel import num_processes

    assert command.output_dir is not None
    return TrainConfig(
        datasets=command.dataset.roots,
        dataset_weights=command.dataset.weights,
        sample_weights=command.dataset.sample_weights,
        streaming=command.dataset.streaming,
        rename_map=_renames(command.rename_map),
        output_dir=command.output_dir,
        holdout_episodes=held_out(command),
        steps=STEPS if command.steps is None and command.minutes is None else command.steps,
        num_threads=command.num_threads or max(1, spare_a_core() // num_processes()),
        **{name: getattr(command, name) for name in SAME_NAME},
    )


def _renames(text: str) -> dict[str, str]:
    try:
        names = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        names = str(error)
    if isinstance(names, dict) and all(isinstance(name, str) for name in names.values()):
        return names
    raise ConfigError(f"""--rename_map should be such as '{{"dataset key": "policy key"}}', got {text}.""")


def held_out(command: Train) -> int:
    """Hold out episodes when there are enough, or as many as was asked for."""
    from etude.data import open_dataset

    if command.holdout_episodes is not None:
        return command.holdout_episodes
    num_episodes = sum(len(open_dataset(root).episodes) for root in command.dataset.roots)
    return HELD_OUT if num_episodes >= ENOUGH_TO_HOLD_OUT else 0
