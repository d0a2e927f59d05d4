"""How a coached skill goes on learning: by `etude train`, from its demonstrations and from all corrections so far."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from etude.cli import train_words
from etude.cli.console import say
from etude.core.child import run_etude
from etude.core.errors import EtudeError
from etude.core.run import Run

if TYPE_CHECKING:
    from etude.cli.coach import Coach

_PREFIX, _RUN_IS_ABOVE = "--train.", 4
"""A checkpoint is given as RUN/checkpoints/last/pretrained_model at the most."""


def expand(arguments: Sequence[str]) -> list[str]:
    """Gather the options of training in one flag, and read the stored run where one is resumed."""
    options: list[str] = []
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        if not argument.startswith(_PREFIX):
            rest.append(argument)
            continue
        option = argument.removeprefix(_PREFIX)
        if "=" not in option:
            has_value = bool(queue) and not queue[0].startswith("--")
            option = f"{option}={queue.pop(0) if has_value else 'true'}"
        options.append(option)
    return train_words.expand(rest) + (["--train", *options] if options else [])


class Learning:
    """Trains a skill on, round after round; each round has a folder in `run`."""

    def __init__(self, command: Coach, run: Path) -> None:
        self._command, self._run = command, run

    def folder(self, number: int) -> Path:
        """Give the folder of round `number`."""
        return self._run / f"round-{number}"

    def check(self, checkpoint: Path) -> None:
        """Raise `UserError` for options that `etude train` would not take, before anything is done."""
        from etude.cli.parse import parse
        from etude.cli.train import Train

        words = self._words(1, checkpoint, [self._corrections(1)], [1])
        parse(Train, train_words.expand(words[1:]), prog="etude train")

    def is_done(self, number: int) -> bool:
        """Whether round `number` has been learned from."""
        return (self.folder(number) / "trained").exists()

    def learn(self, number: int, checkpoint: Path) -> Path:
        """Train from `checkpoint`, unless that is done, and give the new one; a training that was cut off goes on."""
        run = self.folder(number) / "train"
        last = run / "checkpoints" / "last"
        if not self.is_done(number):
            roots = [root for each in range(1, number + 1) if (root := self._corrections(each)).exists()]
            words = self._words(number, checkpoint, roots, [_driven(root) for root in roots])
            resumed = ["train", "--resume=true", f"--output_dir={run}"]
            _etude(resumed if last.exists() else words)
            (self.folder(number) / "trained").touch()
        self.point(last)
        return last

    def point(self, checkpoint: Path) -> None:
        """Let `checkpoints/last` in the run's folder be `checkpoint`."""
        from etude.policies.files import point

        folder = self._run / "checkpoints"
        folder.mkdir(parents=True, exist_ok=True)
        is_own = checkpoint.is_relative_to(self._run)
        point(folder / "last", f"../{checkpoint.relative_to(self._run)}" if is_own else str(checkpoint.absolute()))

    def _corrections(self, number: int) -> Path:
        from etude.rollout.coaching_rounds import CORRECTIONS

        return self.folder(number) / CORRECTIONS

    def _words(self, number: int, checkpoint: Path, corrections: Sequence[Path], driven: Sequence[int]) -> list[str]:
        """Give the command that trains on: what the command says overrules what the skill was trained with."""
        from etude.data import open_dataset
        from etude.rollout.coaching import INTERVENTION

        command, demonstrations = self._command, self._command.dataset.roots
        frames = [open_dataset(root).episodes.num_frames for root in demonstrations]
        share = command.correction_share
        weights = [*_shares(driven, share), *_shares(frames, 1 - share)]
        # Corrections come first, since the last episodes of all are held out for validation.
        roots = [f"--dataset.root={root}" for root in (*corrections, *demonstrations)]
        stored = _stored(checkpoint)
        return [
            "train",
            *([f"--config={stored}"] if stored else []),
            f"--policy.path={checkpoint}",
            *roots,
            *[f"--dataset.weights={weight:.6g}" for weight in weights],
            f"--dataset.sample_weights={INTERVENTION}",
            "--normalization=checkpoint",
            "--rename_map=",
            "--hand=",
            f"--output_dir={self.folder(number) / 'train'}",
            *self._budget(overrules=stored is not None),
            f"--seed={command.seed + number}",
            *[f"--{option}" for option in command.train],
        ]

    def _budget(self, *, overrules: bool) -> list[str]:
        steps, minutes = self._command.steps, self._command.minutes_per_round
        if minutes:
            return [f"--minutes={minutes:g}", *(["--steps=None"] if overrules else [])]
        return [f"--steps={steps}", *(["--minutes=None"] if overrules else [])]


def _shares(amounts: Sequence[int], whole: float) -> Iterable[float]:
    """Divide `whole` by amounts."""
    return (whole * amount / max(sum(amounts), 1) for amount in amounts)


def _driven(root: Path) -> int:
    """Count the frames of a dataset of corrections that the demonstrator drove."""
    from etude.data import open_dataset
    from etude.rollout.coaching import INTERVENTION

    return int(open_dataset(root).column(INTERVENTION).sum())


def _stored(checkpoint: Path) -> Path | None:
    """Find the training run that a checkpoint is of, by its stored command."""
    for path in (checkpoint.absolute(), checkpoint.resolve()):
        for folder in [path, *path.parents][:_RUN_IS_ABOVE]:
            if Run(folder).config().get("command") == "train":
                return folder / "config.json"
    return None


def _etude(words: Sequence[str]) -> None:
    say(f"  $ {shlex.join(['etude', *words])}")
    code, _ = run_etude(words)
    if code:
        raise EtudeError(f"The coaching stopped: 'etude {words[0]}' ended with exit code {code}. --resume goes on.")
