"""What deleting an episode and merging datasets cost, as JSON: two 640x480 cameras, ten episodes of 300 frames.

    python benchmarks/edit.py [--folder=FOLDER] [--length=300] [--peer]

Merging is compared with a plain copy of the same files, out of the file cache as merging is, and with one that is then
brought to the disk, as a merged dataset is. `--peer` has LeRobot do the same on the same files, with the environment
that `$ETUDE_PEER` names (see `peer.py`). A dataset in FOLDER is used again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EPISODES, FPS = 10, 30
DELETED = 4
REPEATS = 5
BAR = {"delete: times faster than LeRobot's 34.9 s": 20, "merge: part of the time of a copy": 1.0}
LEROBOT_DELETE_S = 34.9

Answer = dict[str, Any]


def make(root: Path, length: int) -> Path:
    """Record the dataset where it is not there."""
    import numpy as np  # noqa: PLC0415  a measurement imports what it needs alone
    import record  # noqa: PLC0415

    from etude.core.spec import Spec  # noqa: PLC0415
    from etude.data import create_dataset  # noqa: PLC0415

    if root.exists():
        return root
    pictures, vector = record.pool(), Spec(shape=(6,), names=tuple("abcdef"))
    picture = Spec(shape=(record.HEIGHT, record.WIDTH, 3), dtype="uint8")
    specs = {"observation.state": vector, **dict.fromkeys(record.CAMERAS, picture), "action": vector}
    writer = create_dataset(root, specs, FPS)
    for episode, tick in itertools.product(range(EPISODES), range(length)):
        values = dict.fromkeys(("observation.state", "action"), np.arange(6, dtype=np.float32) + tick)
        shown = record.shown(tick + 31 * episode)  # every episode begins elsewhere, so no two are the same
        writer.add_frame(values | {key: pictures[key][shown] for key in record.CAMERAS})
        if tick == length - 1:
            writer.save_episode("benchmark")
    writer.close()
    return root


def delete(root: Path) -> Answer:
    """Delete one of the ten episodes, out of the middle of a file, and take it back."""
    from etude.data.edit import apply, edits  # noqa: PLC0415

    times = []
    for _ in range(REPEATS):
        times.append(_timed(lambda: apply.edit(root, "delete", lambda source: edits.delete(source, [DELETED]))))
        apply.undo(root)
    return _summed(times)


def trim(root: Path) -> Answer:
    """Cut an episode inside groups of pictures, which are encoded again."""
    from etude.data.edit import apply, edits  # noqa: PLC0415

    times = []
    for _ in range(REPEATS):
        spans = {DELETED: (7, 151)}
        times.append(_timed(lambda spans=spans: apply.edit(root, "trim", lambda source: edits.trimmed(source, spans))))
        apply.undo(root)
    return _summed(times)


def merge(roots: list[Path], folder: Path) -> Answer:
    """Merge two datasets, and copy their files."""
    from etude.data.edit import apply, edits  # noqa: PLC0415
    from etude.data.edit.source import Source  # noqa: PLC0415

    merges, copies, synced = [], [], []
    for number in range(REPEATS):
        output, copied = folder / f"merged-{number}", folder / f"copied-{number}"
        copies.append(_timed(lambda: [shutil.copytree(root, copied / root.name) for root in roots]))  # noqa: B023
        synced.append(_timed(lambda: _copied_to_disk(roots, folder / "synced")))
        plan = {output: edits.merged([Source(root) for root in roots])}
        merges.append(_timed(lambda plan=plan: apply.create(plan, "merge")))
        shutil.rmtree(output)
        shutil.rmtree(copied)
        shutil.rmtree(folder / "synced")
    return {"merge": _summed(merges), "copy": _summed(copies), "copy brought to the disk": _summed(synced)}


def _copied_to_disk(roots: list[Path], folder: Path) -> None:
    for root in roots:
        shutil.copytree(root, folder / root.name)
    for path in folder.rglob("*"):
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def peer(roots: list[Path], folder: Path) -> Answer:
    """Have LeRobot delete and merge."""
    from peer import ask  # noqa: PLC0415  beside this file

    deleted = ask("delete", root=roots[0], out=folder / "peer-deleted", episode=DELETED)
    return {"delete": deleted, "merge": ask("merge", roots=",".join(map(str, roots)), out=folder / "peer-merged")}


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Give the wall time and the processor time [s]."""
    began, used = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - began, sum(os.times()[:4]) - used


def _summed(times: list[tuple[float, float]]) -> Answer:
    wall, cpu = zip(*times, strict=True)
    return {"wall_s": round(statistics.median(wall), 4), "cpu_s": round(statistics.median(cpu), 4)}


def _ratio(merged: Answer, how: str) -> float:
    return round(merged["merge"]["wall_s"] / merged[how]["wall_s"], 3)


def _megabytes(root: Path) -> float:
    return round(sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) / 1e6, 1)


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--length", type=int, default=300)
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder and options.folder.parent) as scratch:
        folder = Path(scratch)
        one = make((options.folder or folder) / "recorded", options.length)
        roots = [one, shutil.copytree(one, folder / "other")]
        found = {
            "frames": EPISODES * options.length,
            "megabytes": _megabytes(one),
            "delete 1 of 10": delete(one),
            "trim 1 of 10": trim(one),
            "2 x 10": merge(roots, folder),
        }
        if options.peer:
            found["lerobot"] = peer(roots, folder)
    merged, deleted = found["2 x 10"], found["delete 1 of 10"]["wall_s"]
    theirs = found.get("lerobot", {}).get("delete", {}).get("wall_s", LEROBOT_DELETE_S)
    ratios = {
        "delete: times faster than LeRobot": round(theirs / deleted, 1),
        **{f"merge: part of the time of a {how}": _ratio(merged, how) for how in ("copy", "copy brought to the disk")},
    }
    print(json.dumps({"bar": BAR, "ratios": ratios} | found, indent=2))


if __name__ == "__main__":
    main()
