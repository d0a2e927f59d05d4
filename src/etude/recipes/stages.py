"""A recipe as data: the stages of a run and the command that each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etude.recipes.recipe import Recipe
from etude.sim.tasks import tasks

SCENES = 100_000
"""Scenes of one seed's demonstrations before those of the next seed's begin."""
LAST = Path("checkpoints", "last")
"""Where a training leaves its policy."""
SIMULATED = ("--robot.type=so101_follower", "--robot.port=sim")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One command of a run."""

    name: str
    """Short and unique in a run: record, train."""
    title: str
    words: tuple[str, ...]
    """What stands behind `etude` on the command line."""


def stages(recipe: Recipe, folder: Path, seed: int) -> tuple[Stage, ...]:
    """Give the commands of a whole run, in order, with everything under `folder`.

    `seed` decides all that is random. Scenes of the demonstrations differ from seed to seed, and so do the placements
    that the skill is scored on, none of which is ever recorded.
    """
    dataset, run = folder / "dataset", folder / "train"
    found = [
        Stage(
            name="record",
            title=f"Record {recipe.episodes} demonstrations, driven through the real servo protocol",
            words=record(recipe, dataset, seed),
        ),
        Stage(name="check", title="Check the recording", words=("dataset", "check", str(dataset))),
        *_untrained(recipe, folder, seed),
        Stage(name="train", title="Train on the demonstrations", words=train(recipe, dataset, run, seed)),
    ]
    if recipe.is_coached:
        title = "Coach it where it fails: a script that knows where things are takes over"
        words = coach(recipe, run / LAST, dataset, folder / "coach", seed)
        found.append(Stage(name="coach", title=title, words=words))
    scored = evaluate(recipe, skill_in(recipe, folder), folder / "eval", seed)
    return (*found, Stage(name="eval", title="Run the skill where it has not been before", words=scored))


def skill_in(recipe: Recipe, folder: Path) -> Path:
    """Give where the policy lies that a run under `folder` ends with."""
    return folder / ("coach" if recipe.is_coached else "train") / LAST


def record(recipe: Recipe, dataset: Path, seed: int) -> tuple[str, ...]:
    """Give the command that records the demonstrations."""
    told = ("--robot.cameras={}", "--task.poses=true") if recipe.poses else ()
    return (
        "record", *SIMULATED, f"--task.type={recipe.task}",
        *_preset(recipe, "task"), *told, "--teleop.type=scripted", *_preset(recipe, "teleop"),
        f"--teleop.noise={recipe.noise:g}", f"--dataset.repo_id=demo/{recipe.task}", f"--dataset.root={dataset}",
        f"--dataset.num_episodes={recipe.episodes}", f"--dataset.single_task={tasks.config(recipe.task).text}",
        *recipe.record, f"--seed={SCENES * seed}",
    )  # fmt: skip


def train(recipe: Recipe, dataset: Path, run: Path, seed: int) -> tuple[str, ...]:
    """Give the command that trains on the demonstrations."""
    budget = f"--minutes={recipe.minutes:g}" if recipe.minutes else f"--steps={recipe.steps}"
    return _train(recipe, dataset, run, (*recipe.train, budget, f"--seed={seed}"))


def coach(recipe: Recipe, checkpoint: Path, dataset: Path, run: Path, seed: int) -> tuple[str, ...]:
    """Give the command that coaches a trained policy."""
    return (
        "coach", f"--policy.path={checkpoint}", f"--dataset.root={dataset}", *_env(recipe), *_preset(recipe, "teleop"),
        *recipe.coaching, f"--seed={seed}", f"--output_dir={run}", "--json",
    )  # fmt: skip


def evaluate(
    recipe: Recipe, checkpoint: Path, output_dir: Path, seed: int, rollouts: int = 0, extra: Sequence[str] = ()
) -> tuple[str, ...]:
    """Give the command that scores a policy by as many rollouts as the recipe says, unless told otherwise."""
    return (
        "eval", f"--policy.path={checkpoint}", *_env(recipe), *extra,
        f"--eval.n_episodes={rollouts or recipe.rollouts}", *recipe.evaluate, f"--seed={seed}",
        f"--output_dir={output_dir}", "--json",
    )  # fmt: skip


def _untrained(recipe: Recipe, folder: Path, seed: int) -> tuple[Stage, ...]:
    if not recipe.untrained:
        return ()
    run, scored = folder / "untrained", folder / "eval_untrained"
    return (
        Stage(
            name="untrained",
            title="Make an untrained policy, for comparison",
            words=_train(recipe, folder / "dataset", run, ("--steps=0", f"--seed={seed}")),
        ),
        Stage(
            name="eval_untrained",
            title="Run it as well",
            words=evaluate(recipe, run / LAST, scored, seed, recipe.untrained),
        ),
    )


def _train(recipe: Recipe, dataset: Path, run: Path, rest: Sequence[str]) -> tuple[str, ...]:
    return ("train", *recipe.policy, f"--dataset.root={dataset}", *rest, f"--output_dir={run}")


def _env(recipe: Recipe) -> tuple[str, ...]:
    told = ("--env.task.poses=true", "--env.cameras") if recipe.poses else ()
    return (f"--env.type=so101_{recipe.task}", *_preset(recipe, "env"), *told)


def _preset(recipe: Recipe, slot: str) -> tuple[str, ...]:
    return () if recipe.world == "plain" else (f"--{slot}.preset={recipe.world}",)
