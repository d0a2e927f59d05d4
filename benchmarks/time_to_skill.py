"""From nothing to a skill: how long the recipes take and how often their skills succeed.

    python benchmarks/time_to_skill.py [--rows=plain,hard,hard+coach,push,stack,sort,insert] [--seeds=1,2,3]
        [--what=skill,demonstrator,poses] [--folder=outputs/time_to_skill] [--results=docs/measured/time_to_skill.json]
        [--write]

Each row is a recipe, played once for each of three seeds, with 200 placements of its own that nothing was tuned on. The
time is that from the first command to the end of the last rollout. Beside it stand the success of the demonstrator
itself on the same placements, and that of a policy which learned in the same way but is told where things are.

What is measured is kept, so that rows can be measured one by one; what is there is not measured again unless its recipe
has changed. `--write` only writes the tables of the docs. A look whether all works, in a minute or two:

    python benchmarks/time_to_skill.py --rows=plain,hard+coach --seeds=1 --episodes=3 --minutes=0.02 --rollouts=2
        --coaching="--episodes=2 --steps=2" --results=toy.json
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import asdict, replace
from pathlib import Path

from demonstrators import measured as demonstrated
from measured import (
    GUIDE,
    ROOT,
    Answer,
    add_sizes,
    load,
    new_folder,
    percent,
    perform,
    pooled,
    refuse_toys,
    save,
    score,
    sized,
    told,
    write_part,
)

from etude.cli.options import EVALUATION_SEEDS
from etude.recipes import Recipe, recipe
from etude.recipes.stages import stages

RESULTS = ROOT / "docs" / "measured" / "time_to_skill.json"
SEEDS = (1, 2, 3)
"""Fixed before anything was measured."""
ROUND = ("episodes", "alone", "corrections", "failed_corrections", "correction_frames")
"""What is kept of a round of coaching."""
ROWS: dict[str, tuple[Recipe, str, str]] = {
    "plain": (recipe("pick_place"), "Pick and place, plain world", "98 % in 6 min"),
    "hard": (recipe("pick_place", "hard"), "Pick and place, hard world", "90 % in 10 min"),
    "hard+coach": (
        replace(recipe("pick_place", "hard"), is_coached=True),
        "The same, coached where it failed",
        "95 % in 15 min",
    ),
    "push": (recipe("push"), "Push", "90 % in 15 min"),
    "stack": (recipe("stack"), "Stack", "90 % in 15 min"),
    "sort": (recipe("sort"), "Sort", "80 % in 15 min"),
    "insert": (recipe("insert"), "Insert", ""),
}


def main() -> None:
    """Measure the rows that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--what", default="skill,demonstrator,poses")
    parser.add_argument("--folder", type=Path, default=Path("outputs/time_to_skill"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--write", action="store_true")
    add_sizes(parser)
    options = parser.parse_args()
    refuse_toys(options, RESULTS)
    if not options.write:
        for name in options.rows.split(","):
            measure(name, options)
    if options.results == RESULTS:
        write_tables(load(RESULTS))
    else:
        print(table(load(options.results)) + stage_table(load(options.results)))


def measure(name: str, options: argparse.Namespace) -> None:
    """Measure what is still missing of a row."""
    made = sized(ROWS[name][0], options)
    described = json.loads(json.dumps(asdict(made)))
    row = load(options.results).get(name, {})
    if row.get("recipe") != described:
        row = {"recipe": described, "runs": {}}
    seeds = [int(seed) for seed in options.seeds.split(",")]
    todo = {
        "skill": lambda: [_run(row, made, name, seed, options) for seed in seeds if str(seed) not in row["runs"]],
        "demonstrator": lambda: row.setdefault("demonstrator", demonstrator(made)),
        "poses": lambda: row.setdefault("poses", played(made.told_poses(), f"{name}-poses", seeds[0], options.folder)),
    }
    for what in options.what.split(","):
        if what in row or (what != "skill" and made.is_coached):
            continue
        todo[what]()
        _keep(options.results, name, row)


def played(made: Recipe, name: str, seed: int, folder: Path) -> Answer:
    """Play a recipe from nothing; give its score, times and commands."""
    place = new_folder(folder, f"{name}-{seed}")
    performance = perform(stages(made, place, seed))
    found = score(performance["eval"].answer) | told(performance)
    if made.is_coached:
        rounds = performance["coach"].answer["rounds"]
        found["rounds"] = [{key: each[key] for key in ROUND} for each in rounds]
    print(json.dumps({"row": name, "seed": seed} | found), flush=True)
    return found


def demonstrator(made: Recipe) -> Answer:
    """Count in how many of all placements the demonstrator itself succeeds in time, when nobody pushes it about."""
    parts: list[Answer] = []
    for seed in SEEDS:
        first = EVALUATION_SEEDS + 100_000 * seed
        found = demonstrated(made.task, made.world, 0.0, range(first, first + made.rollouts))
        in_time = next(value for key, value in found.items() if key.startswith("within"))
        parts.append({"n": found["n"], "successes": in_time})
    return pooled(parts)


def _run(row: Answer, made: Recipe, name: str, seed: int, options: argparse.Namespace) -> None:
    row["runs"][str(seed)] = played(made, name, seed, options.folder)
    _keep(options.results, name, row)


def _keep(path: Path, name: str, row: Answer) -> None:
    save(path, load(path) | {name: row})


def write_tables(results: Answer) -> None:
    """Write what was measured into the docs."""
    write_part(ROOT / "README.md", "time_to_skill", table(results))
    write_part(GUIDE, "time_to_skill", table(results) + "\n" + stage_table(results))


def table(results: Answer) -> str:
    """Give success, interval and time of each row, with the references beside it."""
    lines = [
        "| | succeeded | 95 % interval | worst seed | minutes, slowest seed | aim | demonstrator | told the poses |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (_, title, bar) in ROWS.items():
        runs = list(results.get(name, {}).get("runs", {}).values())
        if runs:
            lines.append(f"| {title} | {_success(runs)} | {bar} | {_references(results[name])} |")
    return "".join(f"{line}\n" for line in lines) if len(lines) > 2 else ""


def _success(runs: list[Answer]) -> str:
    found = pooled(runs)
    worst = min(run["successes"] / run["n"] for run in runs)
    slowest = max(run["wall_s"] for run in runs) / 60
    return (
        f"{found['successes']} of {found['n']}: {percent(found['rate'])} | "
        f"{percent(found['low'])} to {percent(found['high'])} | {percent(worst)} | {slowest:.1f}"
    )


def _references(row: Answer) -> str:
    found = [row.get(name) for name in ("demonstrator", "poses")]
    return " | ".join(f"{each['successes']} of {each['n']}" if each else "" for each in found)


def stage_table(results: Answer) -> str:
    """Give the seconds of each stage, by the wall and of all processors, as means over the seeds."""
    lines: list[str] = []
    for name, (_, title, _) in ROWS.items():
        runs = list(results.get(name, {}).get("runs", {}).values())
        if not runs:
            continue
        lines += [f"{title}, {results[name]['recipe']['episodes']} demonstrations, means of {len(runs)} seeds:", ""]
        lines += ["| stage | s | processor s |", "|---|---|---|"]
        for stages_alike in zip(*(run["stages"] for run in runs), strict=True):
            wall, cpu = (sum(each[key] for each in stages_alike) / len(runs) for key in ("wall_s", "cpu_s"))
            lines.append(f"| {stages_alike[0]['name']} | {wall:.0f} | {cpu:.0f} |")
        lines += ["", *_corrections(runs)]
    return "".join(f"{line}\n" for line in lines)


def _corrections(runs: list[Answer]) -> list[str]:
    """Tell what a coach did, and that it was a script."""
    if "rounds" not in runs[0]:
        return []
    rounds = "; ".join(
        _round(number, [each for each in alike if each])
        for number, alike in enumerate(itertools.zip_longest(*(run["rounds"] for run in runs)), start=1)
    )
    return [f"Corrections were made by a script that knows where things are. {rounds}.", ""]


def _round(number: int, alike: list[Answer]) -> str:
    """Tell of one round, over all seeds."""
    alone, corrections = pooled([each["alone"] for each in alike]), sum(each["corrections"] for each in alike)
    return f"Round {number}: {corrections} corrections in {alone['n']} rollouts, {percent(alone['rate'])} needed none"


if __name__ == "__main__":
    main()
