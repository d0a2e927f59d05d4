"""`etude coach`: a skill gets better where it fails, by what a demonstrator does there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from etude.cli.coach_training import Learning, expand
from etude.cli.console import progress, say
from etude.cli.options import COACHING_SEEDS, TrainedPolicy
from etude.cli.slots import Slot, presets_of
from etude.cli.watched import is_person
from etude.core.errors import UserError
from etude.envs import envs
from etude.hardware import teleoperators

if TYPE_CHECKING:
    from etude.cli.coach_scene import CoachedSkill
    from etude.rollout.coaching_rounds import Notebook

__all__ = ["COMMAND", "Coach", "expand", "run"]

REPORT, MOST_ROUNDS, MOST_EPISODES = "coach.json", 10, 10_000
MADE_BY = {False: "a script that knows where things truly are", True: "a person"}
"""Who corrects, by whether it is a person."""


@dataclass(frozen=True, kw_only=True)
class Demonstrations:
    """What the skill has learned from."""

    root: tuple[Path, ...] | Path = ()
    """The dataset's folder; or a mix.json, a URL, or a name on the Hugging Face Hub. Given several times: all."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """All datasets."""
        root = (self.root,) if isinstance(self.root, Path) else self.root
        if not root:
            raise UserError("What has the skill learned from? Give --dataset.root=FOLDER.")
        return root


@dataclass(frozen=True, kw_only=True)
class TakingOver:
    """When the demonstrator takes over, and for how long."""

    patience_s: float = 2.0
    """After so long without coming nearer to what the demonstrator would do now [s]."""
    usual_s: float = 0.0
    """After so long in all [s]; 0: the time in which 19 of 20 demonstrations were done."""
    hand_back_s: float = 0.0
    """How long he drives before the skill may go on [s]; 0: to the end."""

    def __post_init__(self) -> None:
        if self.patience_s <= 0 or self.usual_s < 0 or self.hand_back_s < 0:
            raise UserError(
                "--take_over.patience_s should be above 0, and usual_s and hand_back_s not below; got "
                f"{self.patience_s:g}, {self.usual_s:g} and {self.hand_back_s:g}."
            )


@dataclass(frozen=True, kw_only=True)
class Coach:
    """Let a skill try, take over where it fails, and train it on with what was done there; round after round.

    In simulation: a script that knows where things truly are takes over, or, with a leader, a keyboard or a gamepad
    (--teleop.type), a person by the space bar. Every scene is a new one, and none is one that skills are recorded or
    evaluated in. Ctrl-C stops, and --resume --output_dir=RUN goes on.
    """

    policy: TrainedPolicy
    """The skill to begin with."""
    dataset: Demonstrations = field(default_factory=Demonstrations)
    """Its demonstrations, from which it goes on learning."""
    env: Annotated[Any, Slot(envs, "so101_pick_place")]
    """Where it acts."""
    teleop: Annotated[Any, Slot(teleoperators, "scripted")]
    """Who takes over, or with what."""
    rounds: int = 1
    """Rounds of rollouts and training."""
    episodes: int = 50
    """Rollouts in each round."""
    corrections: int = 0
    """End a round's rollouts with so many corrections; 0: only after all of them."""
    take_over: TakingOver = field(default_factory=TakingOver)
    """When the script takes over."""
    steps: int = 1000
    """Updates of training in each round; 0 only gathers corrections."""
    minutes_per_round: float = 0.0
    """Train in each round for so long instead; rollouts take their time besides [min]."""
    correction_share: float = 0.5
    """Share of training samples that are from corrections; the others are from demonstrations."""
    train: tuple[str, ...] = ()
    """Other options of `etude train`, each after --train, such as --train.batch_size=32. Default: those by which the
    skill was trained."""
    num_processes: int = 0
    """Processes that share the rollouts, with the same results for any number. 0: as many as cores."""
    seed: int = 0
    """Chooses the scenes."""
    output_dir: Path | None = None
    """The run's folder. Default: outputs/coach/DATE/TIME."""
    resume: bool = False
    """Go on with the run in --output_dir, as it was configured."""
    device: str = "cpu"
    """Where the policy acts: cpu, cuda, mps."""
    rename_map: str = ""
    """Which key of the environment is which of the policy's, as JSON: {"theirs": "the policy's"}."""
    json: bool = False
    """Print the result as one JSON object on the last line."""

    def __post_init__(self) -> None:
        if not (1 <= self.rounds <= MOST_ROUNDS and 1 <= self.episodes <= MOST_EPISODES):
            raise UserError(
                f"--rounds should be 1 to {MOST_ROUNDS} and --episodes 1 to {MOST_EPISODES}, got {self.rounds} and "
                f"{self.episodes}."
            )
        least = {"steps": 0, "minutes_per_round": 0, "corrections": 0, "num_processes": 0}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise UserError(f"--{name} should be at least {bound}, got {getattr(self, name):g}.")
        if not 0 < self.correction_share < 1:
            raise UserError(f"--correction_share should be between 0 and 1, got {self.correction_share:g}.")


COMMAND = Coach


def run(command: Coach) -> int:
    """Do the rounds that are left, and report."""
    from etude.cli.coach_scene import require_demonstrator
    from etude.cli.parse import encode
    from etude.core.run import Run, check_folder, default_folder, start

    if command.resume and command.output_dir is None:
        raise UserError("Which run goes on? --resume needs --output_dir=RUN.")
    folder = (command.output_dir or default_folder("coach")).absolute()
    check_folder("coach", folder)
    if not command.resume and Run(folder).config():
        raise UserError(
            f"{folder} already holds a coaching run. Go on with it by --resume, or choose another --output_dir."
        )
    learning = Learning(command, folder)
    require_demonstrator(command)
    learning.check(command.policy.path)
    stored = start("coach", encode(replace(command, resume=False)), folder)
    rounds = _Rounds(command, stored.folder, learning)
    rounds.run()
    stored.log("finished", rounds=len(rounds.told))
    say(f"\nThe skill: {rounds.checkpoint}\n  $ etude eval --policy.path={rounds.checkpoint} {env_words(command)}")
    if command.json:
        print(json.dumps(rounds.report()))
    return 0


def env_words(command: Coach) -> str:
    """Name the environment as on the command line, and its preset if it is one; other options are those of the run."""
    kind = type(command.env)
    known = [name for name in presets_of(kind) if name != "default" and getattr(kind, name)() == command.env]
    return " ".join([f"--env.type={envs.name_of(command.env)}", *[f"--env.preset={name}" for name in known[:1]]])


class _Rounds:
    """One round after the other; what is done already is read."""

    def __init__(self, command: Coach, folder: Path, learning: Learning) -> None:
        self._command, self._folder, self._learning = command, folder, learning
        self.checkpoint = command.policy.path
        self._by_person = is_person(teleoperators.build(command.teleop))
        self._made_by = MADE_BY[self._by_person]
        self.told: list[dict[str, Any]] = []

    def run(self) -> None:
        """Do the rounds that are left."""
        self._learning.point(self.checkpoint)
        for number in range(1, self._command.rounds + 1):
            before = self.checkpoint
            told = self._rollouts(number)
            if told["corrections"] and self._command.steps:
                self.checkpoint = self._learning.learn(number, before)
            self.told.append({"round": number, "skill": str(before), **told, "trained": str(self.checkpoint)})
            self._store()
            if not told["corrections"]:
                say("Nothing was corrected, so there is nothing to learn.")
                break

    def report(self) -> dict[str, Any]:
        """Give what is known of all rounds."""
        return {
            "corrections_made_by": self._made_by,
            "correction_share": self._command.correction_share,
            "rounds": self.told,
            "checkpoint": str(self.checkpoint),
        }

    def _store(self) -> None:
        from etude.core.files import write_json

        write_json(self._folder / REPORT, self.report())

    def _rollouts(self, number: int) -> dict[str, Any]:
        """Let the skill act in the scenes of round `number` that are left; give what all of them came to."""
        from etude.rollout.coaching_rounds import Notebook

        say(f"\nRound {number} of {self._command.rounds}: {self.checkpoint} acts, and {self._made_by} takes over.")
        notebook = Notebook(self._learning.folder(number), most_corrections=self._command.corrections)
        first = COACHING_SEEDS + MOST_ROUNDS * MOST_EPISODES * self._command.seed + MOST_EPISODES * (number - 1)
        try:
            if not (notebook.is_full or self._learning.is_done(number)):
                self._let_act(notebook, range(first, first + self._command.episodes))
        finally:
            notebook.close()
        say(str(notebook.tally))
        return notebook.tally.to_json()

    def _let_act(self, notebook: Notebook, seeds: Sequence[int]) -> None:
        from etude.cli.coach_person import act_by_hand
        from etude.cli.coach_scene import CoachedSkill, usual_s

        command = self._command
        made = CoachedSkill(
            env=command.env,
            teleop=command.teleop,
            policy=replace(command.policy, path=self.checkpoint),
            take_over=replace(command.take_over, usual_s=usual_s(command)),
            device=command.device,
            rename_map=command.rename_map,
        )
        if self._by_person:
            act_by_hand(command, made, notebook, seeds)
        elif left := notebook.left(seeds):
            _act_together(made, notebook, left, len(seeds), command.num_processes)


def _act_together(made: CoachedSkill, notebook: Notebook, left: Sequence[int], total: int, num_processes: int) -> None:
    """Do the rollouts of the seeds `left`, in several processes."""
    import os
    from contextlib import suppress

    from etude.rollout.coaching_rounds import EnoughCorrectionsError
    from etude.rollout.crew import evaluate_together

    with progress("Coaching", total) as line, suppress(EnoughCorrectionsError):
        evaluate_together(
            made,
            seeds=left,
            num_processes=num_processes or os.cpu_count() or 1,
            gather=notebook.gather,
            progress=lambda *_: line.update(len(notebook.tally.rollouts), f"{notebook.tally.corrections} corrections"),
        )
