"""`etude demo`: the whole job on a simulated arm, by the commands a user would type."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from etude.cli.console import say
from etude.core.errors import UserError
from etude.recipes import SIZES, recipe

if TYPE_CHECKING:
    from etude.recipes import Recipe
    from etude.recipes.play import Performance


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Record demonstrations on a simulated SO-101, train a policy on them, run it in scenes it has not seen.

    The policy sees camera images and joint angles only. Every stage is an ordinary command, printed as it runs.
    """

    task: str = "pick_place"
    """What it learns: pick_place, push, stack, sort or insert."""
    world: Literal["plain", "hard"] = "plain"
    """Plain, or hard as a real desk: distractors, worn gears, noisy cameras, and shown as a person would."""
    episodes: int | None = None
    """Demonstrations to record. Default: the recipe's."""
    minutes: float | None = None
    """Training time [min]. Default: the recipe's."""
    steps: int | None = None
    """Training steps, in place of a time."""
    rollouts: int | None = None
    """Unseen scenes the skill is scored in. Default: the recipe's."""
    untrained: int = 0
    """Rollouts of an untrained policy as well, for comparison."""
    coach: bool = False
    """Let a script that knows where things are take over where the skill fails, and train on."""
    seed: int = 0
    """Decides everything that is random."""
    output_dir: Path = Path("outputs/demo")
    """Where it all goes; an earlier demo there is moved aside."""

    def __post_init__(self) -> None:
        for name in SIZES:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UserError(f"--{name} should be more than 0, got {value}.")
        if self.minutes is not None and self.steps is not None:
            raise UserError("--minutes and --steps are two ways to say how long to train; choose one.")


COMMAND = Demo


def run(command: Demo) -> int:
    """Run the stages, then state the result."""
    from etude.recipes.card import card, next_commands
    from etude.recipes.play import play
    from etude.recipes.stages import stages

    recipe, folder = recipe_of(command), command.output_dir
    _move_aside(folder)
    performance = play(stages(recipe, folder, command.seed), say)
    (folder / "README.md").write_text(card(recipe, folder, performance), encoding="utf-8")
    say(_ending(performance, folder))
    say("By hand, those stages are the commands printed above. Next:")
    for line in next_commands(recipe, folder):
        say(f"  $ {line}")
    return 0


def recipe_of(command: Demo) -> Recipe:
    """Give the recipe, with what the command wants otherwise; raise `NotFound` where there is none of that name."""
    found = recipe(command.task, command.world).sized({name: getattr(command, name) for name in SIZES})
    return replace(found, untrained=command.untrained, is_coached=command.coach)


def _move_aside(folder: Path) -> None:
    if folder.exists():
        stamp = datetime.datetime.now(tz=datetime.UTC).astimezone().strftime("%Y-%m-%d_%H-%M-%S")
        earlier = folder.with_name(f"{folder.name}_before_{stamp}")
        folder.rename(earlier)
        say(f"The earlier demo is now in {earlier}.")


def _ending(performance: Performance, folder: Path) -> str:
    skill = performance["eval"].answer
    compared = ""
    if "eval_untrained" in performance:
        compared = f"; untrained: {_rate(performance['eval_untrained'].answer)}"
    return (
        f"\nThe skill succeeds in {_rate(skill)} of {skill['n']} placements it has not seen "
        f"(95 % interval {skill['low']:.1%} to {skill['high']:.1%}){compared}.\n"
        f"Video:  {folder / 'eval' / 'rollouts.mp4'}\n"
        f"Card:   {folder / 'README.md'}\n"
        f"Time:   {performance.wall_s / 60:.1f} minutes\n"
    )


def _rate(answer: Mapping[str, Any]) -> str:
    return f"{answer['success_rate']:.1%}"
