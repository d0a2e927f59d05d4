"""What was measured, kept as JSON so that it can be measured piece by piece, and told in marked parts of the docs."""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rounds import machine

from etude.core.errors import EtudeError
from etude.core.files import write_json
from etude.recipes import SIZES, Recipe
from etude.recipes.play import Performance, play
from etude.recipes.stages import Stage
from etude.rollout.statistics import wilson

Answer = dict[str, Any]
ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guides" / "first-skill.md"


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """Add options that make all recipes small."""
    for name in SIZES:
        parser.add_argument(f"--{name}", type=float if name == "minutes" else int, help="other than the recipe's")
    parser.add_argument("--coaching", type=shlex.split, help="options of `etude coach`, other than the recipe's")


def sized(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """Give the recipe at the size that was asked for."""
    found = recipe.sized({name: getattr(options, name) for name in SIZES})
    return found if options.coaching is None else replace(found, coaching=tuple(options.coaching))


def refuse_toys(options: argparse.Namespace, kept: Path) -> None:
    """End where small runs would take the place of what the docs tell."""
    if options.results == kept and any(getattr(options, name) is not None for name in (*SIZES, "coaching")):
        sys.exit(f"Other sizes than the recipes' do not belong into {kept}. Choose another file by --results.")


def load(path: Path) -> Answer:
    """Read what has been measured so far."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(path: Path, results: Answer) -> None:
    """Keep what has been measured so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, results)


def new_folder(folder: Path, name: str) -> Path:
    """Make the first free one of FOLDER/NAME-1, FOLDER/NAME-2 and so on."""
    place = next(place for number in itertools.count(1) if not (place := folder / f"{name}-{number}").exists())
    place.mkdir(parents=True)
    return place


def perform(stages: Sequence[Stage]) -> Performance:
    """Play stages; end where one fails, which has said why."""
    try:
        return play(stages, lambda text: print(text, file=sys.stderr, flush=True))
    except EtudeError as error:
        sys.exit(str(error))


def told(performance: Performance) -> Answer:
    """Give commands, times and the machine of a run as JSON."""
    stages = [
        {
            "name": done.stage.name,
            "command": " ".join(("etude", *done.stage.words)),
            "wall_s": round(done.wall_s, 1),
            "cpu_s": round(done.cpu_s, 1),
        }
        for done in performance.stages
    ]
    date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return {"wall_s": round(performance.wall_s, 1), "stages": stages, "date": date, "machine": machine()}


def score(answer: Answer | Any) -> Answer:
    """Keep of an evaluation what is pooled."""
    return {"n": answer["n"], "successes": round(answer["success_rate"] * answer["n"])}


def pooled(scores: Sequence[Answer]) -> Answer:
    """Add up evaluations; give the rate and its 95 % Wilson interval, too."""
    n, successes = (sum(each[name] for each in scores) for name in ("n", "successes"))
    low, high = wilson(successes, n)
    return {"n": n, "successes": successes, "rate": successes / n, "low": low, "high": high}


def percent(share: float) -> str:
    """Write a share with as many digits as some hundred rollouts give."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def write_part(file: Path, name: str, text: str) -> None:
    """Write `text` between the marks of the part `name` of a page."""
    page = file.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        sys.exit(f"{file} has no part between '{begin.strip()}' and '{end}'.")
    file.write_text(f"{before}{begin}{text}{end}{after}", encoding="utf-8")
