"""How much a skill loses in a world that has changed since it was shown, and what randomized demonstrations save of it.

    python benchmarks/shifted_world.py [--task=pick_place] [--world=hard] [--recordings=plainly,randomized]
        [--shifts=light,camera,...] [--folder=outputs/shifted_world] [--results=docs/measured/shifted_world.json]
        [--write]

The recipe is played twice, once as it is and once with more of the world drawn anew for each demonstration
(`RANDOMIZED`), with the same seed, number of demonstrations and time. Both skills then act in the same scenes, in the
world of the recipe and in each of the changed ones (`SHIFTS`). Changes are ranges: every episode has its own.

What is measured is kept, and what is there is not measured again unless the recipe has changed; `--write` only writes
the table of the docs. A look whether all works:

    python benchmarks/shifted_world.py --episodes=2 --steps=2 --rollouts=2 --shifts=camera --results=toy.json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

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

from etude.recipes import Recipe, recipe
from etude.recipes.stages import Stage, evaluate, skill_in, stages

RESULTS = ROOT / "docs" / "measured" / "shifted_world.json"
SEED = 11
"""Of demonstrations, training and scenes; not one of those in `time_to_skill.py`."""
SHIFTS: dict[str, tuple[str, dict[str, float]]] = {
    "none": ("as in the recipe", {}),
    "light": ("lamps up to 40 % stronger or weaker, turned by up to 23 degrees", {"light": 0.4, "light_rad": 0.4}),
    "camera": ("both cameras moved, 1 cm on average", {"camera_m": 0.0104}),
    "color": ("the block of another colour, up to 30 % of each channel", {"object_color": 0.3}),
    "noise": ("image noise of 5 %", {"image_noise": 12.75}),
    "all": (
        "all of it",
        {"light": 0.4, "light_rad": 0.4, "camera_m": 0.0104, "object_color": 0.3, "image_noise": 12.75},
    ),
}
"""Fixed before anything was measured. A move of up to 1.04 cm along each axis is 1 cm long on average."""
RANDOMIZED = {
    "light": 0.5, "light_rad": 0.5, "camera_m": 0.015, "camera_rad": 0.02, "color": 0.1, "object_color": 0.4,
    "brightness": 0.2, "image_noise": 8.0,
}  # fmt: skip
RECORDINGS = {"plainly": {}, "randomized": RANDOMIZED}


def main() -> None:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--world", choices=("plain", "hard"), default="hard")
    parser.add_argument("--recordings", default=",".join(RECORDINGS))
    parser.add_argument("--shifts", default=",".join(SHIFTS))
    parser.add_argument("--folder", type=Path, default=Path("outputs/shifted_world"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--write", action="store_true")
    add_sizes(parser)
    options = parser.parse_args()
    refuse_toys(options, RESULTS)
    if not options.write:
        made = sized(recipe(options.task, options.world), options)
        for name in options.recordings.split(","):
            measure(name, made, options)
    if options.results == RESULTS:
        write_part(GUIDE, "shifted_world", table(load(RESULTS)))
    else:
        print(table(load(options.results)))


def measure(name: str, made: Recipe, options: argparse.Namespace) -> None:
    """Teach a skill by one kind of recording, unless it was, and score it in the worlds that are missing."""
    made = replace(made, record=(*made.record, *_words("--task", RECORDINGS[name])))
    key, described = f"{made.name}, {name}", json.loads(json.dumps(asdict(made)))
    kept = load(options.results).get(key, {})
    if kept.get("recipe") != described:
        kept = {"task": made.name, "recording": name, "recipe": described, "worlds": {}}
    missing = [shift for shift in options.shifts.split(",") if shift not in kept["worlds"]]
    if missing and not ("skill" in kept and Path(kept["skill"]).is_dir()):
        kept |= _taught(made, name, options.folder)
        save(options.results, load(options.results) | {key: kept})
    for shift in missing:
        kept["worlds"][shift] = _scored(made, Path(kept["skill"]), shift)
        save(options.results, load(options.results) | {key: kept})
        print(json.dumps({"recording": name, "world": shift} | kept["worlds"][shift]), flush=True)


def table(results: Answer) -> str:
    """Give success in every world by both kinds of recording, and what was lost [percentage points]."""
    lines: list[str] = []
    for task in dict.fromkeys(each["task"] for each in results.values()):
        rows = [each for each in results.values() if each["task"] == task]
        lines += [f"| {task} | " + " | ".join(f"recorded {row['recording']} | lost" for row in rows) + " |"]
        lines += ["|---" * (1 + 2 * len(rows)) + "|"]
        for shift, (title, _) in SHIFTS.items():
            if all(shift in row["worlds"] for row in rows):
                lines.append(f"| {title} | " + " | ".join(_cells(row["worlds"], shift) for row in rows) + " |")
        lines.append("")
    return "".join(f"{line}\n" for line in lines)


def _cells(worlds: Answer, shift: str) -> str:
    found = pooled([worlds[shift]])
    text = f"{percent(found['rate'])} [{percent(found['low'])} to {percent(found['high'])}]"
    if shift == "none" or "none" not in worlds:
        return f"{text} | "
    return f"{text} | {100 * (pooled([worlds['none']])['rate'] - found['rate']):.1f}"


def _taught(made: Recipe, name: str, folder: Path) -> Answer:
    place = new_folder(folder, name)
    performance = perform([stage for stage in stages(made, place, SEED) if stage.name != "eval"])
    return {"skill": str(skill_in(made, place)), "training": told(performance), "worlds": {}}


def _scored(made: Recipe, skill: Path, shift: str) -> Answer:
    title, ranges = SHIFTS[shift]
    out = new_folder(skill.parents[2], f"eval_{shift}")
    words = evaluate(made, skill, out, SEED, extra=_words("--env.task", ranges))
    return score(perform([Stage(name="eval", title=f"Score it in a world: {title}", words=words)])["eval"].answer)


def _words(slot: str, ranges: dict[str, float]) -> tuple[str, ...]:
    return tuple(f"{slot}.randomization.{name}={value:g}" for name, value in ranges.items())


if __name__ == "__main__":
    main()
