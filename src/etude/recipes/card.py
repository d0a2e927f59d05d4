"""The card of a run: what was asked, how often it succeeds, what each stage took, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etude.recipes.play import Performance, command_line
from etude.recipes.recipe import Recipe
from etude.recipes.stages import SIMULATED, skill_in
from etude.sim.tasks import tasks


def card(recipe: Recipe, folder: Path, performance: Performance) -> str:
    """Write the card in Markdown; paths of commands are those that the run was given."""
    rows = "\n".join(
        f"| {done.stage.title} | {done.wall_s:.0f} s | {done.cpu_s:.0f} s |" for done in performance.stages
    )
    commands = "\n".join(command_line(done.stage) for done in performance.stages)
    after = "\n".join(next_commands(recipe, folder))
    return f"""# {tasks.config(recipe.task).text}

A simulated SO-101 in the {recipe.world} world, {_seen(recipe)}, in scenes not seen in training.

| | success | n | 95 % Wilson interval |
|---|---|---|---|
{_scores(performance)}

{_coaching(performance)}Demonstrations: {recipe.episodes}. Video: [rollouts.mp4](eval/rollouts.mp4). Checkpoint:
`{skill_in(recipe, folder).relative_to(folder)}`. Dataset: `dataset`.

| stage | time | processor time |
|---|---|---|
{rows}
| all | {performance.wall_s:.0f} s | {sum(done.cpu_s for done in performance.stages):.0f} s |

The stages, to run them by hand:

```
{commands}
```

Next:

```
{after}
```
"""


def next_commands(recipe: Recipe, folder: Path) -> list[str]:
    """Give commands that make sense after the run."""
    skill, dataset = skill_in(recipe, folder), folder / "dataset"
    table = (f"--task.type={recipe.task}", *(() if recipe.world == "plain" else (f"--task.preset={recipe.world}",)))
    found = [
        ("replay", *SIMULATED, *table, f"--dataset.root={dataset}", "--dataset.episode=0"),
        ("dataset", "viz", str(dataset)),
        ("run", *SIMULATED, *table, f"--policy.path={skill}"),
        ("runs",),
    ]
    return [shlex.join(["etude", *words]) for words in found]


def _seen(recipe: Recipe) -> str:
    if recipe.poses:
        return "told its joint angles and where things are"
    return "from two camera images and six joint angles"


def _scores(performance: Performance) -> str:
    named = {"trained": "eval", "untrained": "eval_untrained"}
    rows = {row: performance[name].answer for row, name in named.items() if name in performance}
    return "\n".join(f"| {row} | {_score(answer)} |" for row, answer in rows.items())


def _coaching(performance: Performance) -> str:
    """Tell what each round corrected, and who did."""
    if "coach" not in performance:
        return ""
    answer = performance["coach"].answer
    rows = "\n".join(
        f"| {each['round']} | {each['alone']['successes']} of {each['alone']['n']} | {each['corrections']} |"
        for each in answer["rounds"]
    )
    made_by = f"Corrections were made by {answer['corrections_made_by']}."
    return f"| round of coaching | succeeded alone | corrections |\n|---|---|---|\n{rows}\n\n{made_by}\n\n"


def _score(answer: Mapping[str, Any]) -> str:
    return f"{answer['success_rate']:.1%} | {answer['n']} | {answer['low']:.1%} to {answer['high']:.1%}"
