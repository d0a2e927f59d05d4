"""`etude tune`: search for the values of a training run that do best."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from etude.cli import train_words
from etude.cli.console import say
from etude.cli.options import spare_a_core
from etude.cli.train import Train, held_out
from etude.core.errors import UserError

if TYPE_CHECKING:
    from etude.train.tuning.search import Search
    from etude.train.tuning.space import Values

SPACE = "--space."


@dataclass(frozen=True, kw_only=True)
class Tune(Train):
    """Search for the values of a training run that do best. Every option of `etude train` holds for all trials.

    --space.NAME says what an option may be, such as --space.policy.optimizer_lr=log:1e-5:1e-3,
    --space.grad_accum_steps=int:1:4, --space.ema.decay=uniform:0.9:0.999 or --space.batch_size=choice:8,16,32. Ctrl-C
    stops; --resume goes on, and --trials may be raised.
    """

    space: tuple[str, ...] = ()
    """What --space.NAME=VALUES say, as NAME=VALUES."""
    trials: int = 20
    """Training runs to make."""
    objective: Literal["validation_loss", "success_rate"] = "validation_loss"
    """What should be best, at a trial's best update: least loss on held-out episodes, or most success in --env.type."""
    pruner: Literal["median", "none"] = "median"
    """End trials that are worse than the median of the others at the same update; after three trials."""
    num_workers: int = 1
    """Trials at once."""
    ray: str = ""
    """Run trials on the Ray cluster at this address, or on one started here for `local`; its machines share folders."""


COMMAND = Tune


def expand(arguments: Sequence[str]) -> list[str]:
    """Gather --space.NAME=VALUES, and read the stored search where one is resumed."""
    space: list[str] = []
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        flag, equals, text = queue.pop(0).partition("=")
        if not flag.startswith(SPACE):
            rest.append(flag + equals + text)
        elif equals or queue:
            space.append(f"{flag.removeprefix(SPACE)}={text if equals else queue.pop(0)}")
        else:
            raise UserError(f"{flag} needs values, such as log:1e-5:1e-3 or choice:8,16.")
    return train_words.expand(rest) + (["--space", *space] if space else [])


def run(command: Tune) -> int:
    """Search, then say what was best and how to train with it."""
    from etude.cli.parse import encode
    from etude.core.run import default_folder, start
    from etude.train.tuning.search import STUDY, Search, search
    from etude.train.tuning.trials import Here, OnRay

    folder = (command.output_dir or default_folder("tune")).absolute()
    if (folder / STUDY).exists() and not command.resume:
        raise UserError(f"{folder} already holds a search. Add --resume to go on, or choose another output_dir.")
    space = _space(command)
    _check(command)
    stored = start("tune", encode(replace(command, resume=False, output_dir=folder)), folder)
    config = _write_training(command, stored.folder)
    options = Search(
        folder=folder,
        space=space,
        command=("train", f"--config={config}"),
        metric=command.objective,
        num_trials=command.trials,
        num_workers=command.num_workers,
        prunes=command.pruner == "median",
        seed=command.seed,
    )
    _try_words(options)
    place = OnRay(command.ray, _threads(command)) if command.ray else Here()
    try:
        best = search(options, place, say)
    finally:
        place.close()
    stored.log("finished", trial=best.number, value=best.value, trials=best.num_trials)
    objective = command.objective.replace("_", " ")
    say(f"Best of {best.num_trials} trials: number {best.number}, {objective} {best.value:.4g}")
    say("Train with its values:")
    print(shlex.join(["etude", *options.command, *best.words, "--output_dir=RUN"]))
    return 0


def _space(command: Tune) -> dict[str, Values]:
    from etude.train.tuning.space import read

    pairs = [text.partition("=") for text in command.space]
    return {name: read(name, values) for name, _, values in pairs}


def _check(command: Tune) -> None:
    if command.objective == "success_rate" and command.env is None:
        raise UserError("--objective=success_rate needs rollouts: add --env.type=NAME.")
    if command.objective == "validation_loss" and not held_out(command):
        raise UserError("--objective=validation_loss needs held-out episodes: add --holdout_episodes=1.")


def _write_training(command: Tune, folder: Path) -> Path:
    """Store what all trials have in common, as a training run."""
    from etude.cli.parse import encode

    own = {field.name for field in fields(Tune)} - {field.name for field in fields(Train)}
    common = replace(command, resume=False, output_dir=None, num_threads=command.num_threads or _threads(command))
    config = {name: value for name, value in encode(common).items() if name not in own}
    path = folder / "train.json"
    path.write_text(json.dumps({"command": "train", "config": config}, indent=2), encoding="utf-8")
    return path


def _try_words(options: Search) -> None:
    """Read a trial's command here, so that a mistyped name is told before anything starts."""
    from etude.cli.parse import parse

    examples = [f"--{name}={values.example}" for name, values in options.space.items()]
    parse(Train, [*options.command[1:], *examples], prog="etude train")


def _threads(command: Tune) -> int:
    return max(1, spare_a_core() // (1 if command.ray else command.num_workers))
