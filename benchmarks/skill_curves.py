"""Success against minutes of training and against demonstrations, drawn; LeRobot's ACT with its defaults beside it.

    python benchmarks/skill_curves.py [--task=pick_place] [--world=hard] [--curves=minutes,demonstrations]
        [--sides=etude,lerobot] [--budgets=0.5,1,2,4,6] [--demonstrations=10,25,50,100,200] [--full=6]
        [--folder=outputs/skill_curves] [--results=docs/measured/skill_curves.json]
        [--picture=docs/images/skill_curves.svg] [--draw]

One dataset is recorded as the recipe says, with as many demonstrations as the largest number; smaller ones are its
first episodes. Against minutes, the recipe's number of demonstrations is learned from; against demonstrations, all
are learned from for `--full` minutes. Each of Etude's points is a training of its own, whose learning rate ends when
its time does. LeRobot is trained on the same files for the same minutes on the same machine, where ETUDE_PEER names its
environment (`peer.py`). Its checkpoints act in the same scenes, loaded by Etude, whose actions from them are the same
to 1e-5.

What is measured is kept, and what is there is not measured again; `--draw` only draws. A look whether all works:

    python benchmarks/skill_curves.py --budgets=0.05,0.1 --full=0.1 --demonstrations=2,3 --recipes_own=3
        --steps_per_minute=20 --rollouts=2 --results=toy.json --picture=toy.svg
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from measured import GUIDE, ROOT, Answer, load, new_folder, perform, pooled, save, score, told, write_part

from etude.recipes import Recipe, recipe
from etude.recipes.stages import LAST, Stage, evaluate, record, train
from peer import ask

RESULTS = ROOT / "docs" / "measured" / "skill_curves.json"
PICTURE = ROOT / "docs" / "images" / "skill_curves.svg"
Learned = tuple[float, Path, Answer]
"""The budget, the checkpoint, and what is to be known of the training."""
SEED = 10
"""Of demonstrations, training and scenes; not one of those in `time_to_skill.py`."""
LOOK = {
    "svg.fonttype": "none", "svg.hashsalt": "etude", "font.size": 9, "axes.spines.right": False,
    "axes.spines.top": False,
}  # fmt: skip
"""Of the picture; the salt makes the same file of the same points."""
SIDES = {"etude": ("Etude", "#1f5f8b", "o-"), "lerobot": ("LeRobot ACT, its defaults", "#c8553d", "s--")}


def main() -> None:
    """Measure the points that are missing, then draw."""
    options = _options()
    made = recipe(options.task, options.world)
    made = replace(made, rollouts=options.rollouts or made.rollouts, episodes=options.recipes_own or made.episodes)
    numbers = [int(number) for number in options.demonstrations.split(",")]
    budgets = [float(budget) for budget in options.budgets.split(",")]
    wanted: list[tuple[int, float]] = []
    if "minutes" in options.curves:
        wanted += [(made.episodes, budget) for budget in budgets]
    if "demonstrations" in options.curves:
        wanted += [(number, options.full) for number in numbers]
    if not options.draw:
        for side in options.sides.split(","):
            _measure(side, made, sorted(set(wanted)), options)
    draw(load(options.results), options.picture)
    if options.results == RESULTS:
        shown = f"![Success against minutes and demonstrations](../images/{options.picture.name})\n"
        write_part(GUIDE, "skill_curves", shown)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--world", choices=("plain", "hard"), default="hard")
    parser.add_argument("--curves", default="minutes,demonstrations")
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--budgets", default="0.5,1,2,4,6", help="minutes")
    parser.add_argument("--demonstrations", default="10,25,50,100,200")
    parser.add_argument("--full", type=float, default=6.0, help="minutes that each number of demonstrations is learned")
    parser.add_argument("--folder", type=Path, default=Path("outputs/skill_curves"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--rollouts", type=int, help="other than the recipe's")
    parser.add_argument("--recipes_own", type=int, help="demonstrations, other than the recipe's")
    parser.add_argument("--steps_per_minute", type=float, help="updates in place of minutes, to see that it works")
    options = parser.parse_args()
    toys = (options.rollouts, options.recipes_own, options.steps_per_minute)
    if options.results == RESULTS and any(toy is not None for toy in toys):
        sys.exit(f"Other sizes than the recipe's do not belong into {RESULTS}. Choose another file by --results.")
    return options


def _measure(side: str, made: Recipe, wanted: Iterable[tuple[int, float]], options: argparse.Namespace) -> None:
    """Measure what is missing of one side, the points of a dataset together."""
    there = {_key(point) for point in load(options.results).get("points", [])}
    missing = [pair for pair in wanted if (side, *pair) not in there]
    for number in sorted({number for number, _ in missing}):
        dataset = _dataset(made, number, _most(options, made), options.folder)
        budgets = [budget for each, budget in missing if each == number]
        place = new_folder(options.folder, f"{side}-{number}")
        learned = (
            _etude(made, dataset, budgets, place, options) if side == "etude" else _lerobot(dataset, budgets, place)
        )
        for budget, checkpoint, about in learned:
            words = evaluate(made, checkpoint, place / f"{budget:g}-eval", SEED)
            scored = perform([Stage(name="eval", title=f"Score {side}", words=words)])
            found = {"side": side, "demonstrations": number, "minutes": budget, **score(scored["eval"].answer)}
            _keep(options, made, found | {"training": about, "evaluation": told(scored)})


def _most(options: argparse.Namespace, made: Recipe) -> int:
    return max(made.episodes, *(int(number) for number in options.demonstrations.split(",")))


def _dataset(made: Recipe, number: int, most: int, folder: Path) -> Path:
    """Give the folder of the first `number` demonstrations, recorded and cut out where they are not there yet."""
    all_of_them, some = folder / f"first_{most}", folder / f"first_{number}"
    if not all_of_them.exists():
        words = record(replace(made, episodes=most), all_of_them, SEED)
        perform([Stage(name="record", title=f"Record {most} demonstrations", words=words)])
    if not some.exists():
        words = ("dataset", "split", str(all_of_them), f"--into={some.name}=0-{number - 1}", f"--output={folder}")
        perform([Stage(name="split", title=f"Take the first {number}", words=words)])
    return some


def _etude(
    made: Recipe, dataset: Path, budgets: list[float], place: Path, options: argparse.Namespace
) -> Iterable[Learned]:
    """Train once for each budget."""
    for budget in budgets:
        budgeted = replace(made, minutes=budget)
        if options.steps_per_minute:
            budgeted = replace(made, minutes=0.0, steps=max(1, round(budget * options.steps_per_minute)))
        run = place / f"{budget:g}"
        stage = Stage(name="train", title=f"Train for {budget:g} minutes", words=train(budgeted, dataset, run, SEED))
        yield budget, run / LAST, told(perform([stage]))


def _lerobot(dataset: Path, budgets: list[float], place: Path) -> Iterable[Learned]:
    """Train once, with a checkpoint at each budget; nothing where LeRobot is not to be had."""
    minutes = ",".join(f"{budget:g}" for budget in budgets)
    print(f"\nLeRobot learns from {dataset} for {minutes} minutes", file=sys.stderr, flush=True)
    options = {"root": dataset.absolute(), "out": place.absolute(), "minutes": minutes, "seed": SEED}
    answer = ask("learns", 60 * max(budgets) + 1200, "peer_act.py", **options)
    if "checkpoints" not in answer:
        print(f"LeRobot: {answer.get('skipped') or answer['error']}", file=sys.stderr)
        return
    for found in answer.pop("checkpoints"):
        yield found["minutes"], place / f"{found['minutes']:g}", answer | found


def _key(point: Answer) -> tuple[str, int, float]:
    return point["side"], point["demonstrations"], point["minutes"]


def _keep(options: argparse.Namespace, made: Recipe, point: Answer) -> None:
    kept = load(options.results)
    others = [each for each in kept.get("points", []) if _key(each) != _key(point)]
    about = {"task": made.name, "demonstrations": made.episodes, "full": options.full}
    save(options.results, kept | about | {"points": sorted([*others, point], key=_key)})


def draw(results: Answer, picture: Path) -> None:
    """Draw both curves, each point with its 95 % Wilson interval."""
    matplotlib.rcParams.update(LOOK)
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    points = results["points"]
    _draw_curves(left, "minutes", [point for point in points if point["demonstrations"] == results["demonstrations"]])
    _draw_curves(right, "demonstrations", [point for point in points if point["minutes"] == results["full"]])
    left.set(xlabel=f"minutes of training, {results['demonstrations']} demonstrations", ylabel="success [%]")
    right.set(xlabel=f"demonstrations, {results['full']:g} minutes of training")
    left.set_ylim(-2, 102)
    left.set_title(results["task"].replace("_", " "), loc="left", fontsize=9)
    if left.has_data():
        left.legend(frameon=False, loc="best")
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None, dpi=150)
    print(picture)


def _draw_curves(axes: Any, across: str, points: list[Answer]) -> None:
    for side, (label, color, style) in SIDES.items():
        mine = sorted((point for point in points if point["side"] == side), key=lambda point: point[across])
        found = [pooled([point]) for point in mine]
        rates = [100 * each["rate"] for each in found]
        off = [[100 * abs(each["rate"] - each[end]) for each in found] for end in ("low", "high")]
        if mine:
            xs = [point[across] for point in mine]
            axes.errorbar(xs, rates, yerr=off, fmt=style, color=color, label=label, capsize=2, linewidth=1.2, ms=4)
    axes.set_xlim(left=0)
    axes.grid(visible=True, axis="y", alpha=0.3)


if __name__ == "__main__":
    main()
