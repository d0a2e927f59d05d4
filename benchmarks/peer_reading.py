"""What LeRobot finds in a dataset that somebody else wrote: each row of it, and whether all is in its place."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from typing import Any

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

NAME = "etude/peer"
"""A repository name, which LeRobot wants and which is never looked up."""

Answer = dict[str, Any]


def opens(root: str, out: str = "", resume: int = 0, scratch: str = "") -> Answer:
    """Open a dataset that somebody else wrote, read all of it, and say what is there.

    With `out` every row and picture goes to that `.npz` file. With `resume` that many frames are recorded on top, on a
    copy in `scratch`, which is then opened and read too.
    """
    if not resume:
        return _seen(root, out)
    shutil.copytree(root, scratch)
    return {
        "before": _seen(scratch, ""),
        "streaming": _extended(scratch, resume, True),
        "png": _extended(scratch, resume, False),
        "after": _seen(scratch, out),
    }


def opens_all(roots: str) -> Answer:
    """Open datasets, whose folders are separated by commas, and read all of each; say what is there, or wrong."""
    seen: dict[str, Answer | str] = {}
    for root in roots.split(","):
        try:
            seen[root] = _seen(root, "")
        except Exception as error:  # noqa: BLE001  whatever LeRobot raises is the answer
            seen[root] = f"{type(error).__name__}: {error}"
    return {"lerobot": version("lerobot"), "seen": seen}


def _seen(root: str, out: str) -> Answer:
    dataset = LeRobotDataset(NAME, root)
    rows = [dataset[row] for row in range(len(dataset))]
    values = {
        key: np.stack([np.asarray(row[key]) for row in rows]) for key in (rows[0] if rows else ()) if key != "task"
    }
    if out:
        np.savez(out, task=np.array([row["task"] for row in rows]), **values)
    return {
        "lerobot": version("lerobot"),
        "episodes": dataset.num_episodes,
        "frames": dataset.num_frames,
        "rows": len(rows),
        "lengths": _lengths(dataset),
        "episodes_listed": len(dataset.meta.episodes["length"]),
        "tasks": dataset.meta.tasks.index.tolist(),
        "stats": {key: sorted(stats) for key, stats in (dataset.meta.stats or {}).items()},
        "shapes": {key: list(value.shape) for key, value in values.items()},
        "out_of_place": [key for key, wanted in _expected(dataset).items() if not np.array_equal(values[key], wanted)],
    }


def _lengths(dataset: Any) -> list[int]:
    """Give the lengths of as many episodes as `info.json` tells of; a killed commit may have listed one more."""
    return [int(length) for length in dataset.meta.episodes["length"]][: dataset.num_episodes]


def _expected(dataset: Any) -> dict[str, np.ndarray]:
    """Give what the default columns must hold, by the lengths of the episodes."""
    lengths = np.array(_lengths(dataset), int)
    ticks = np.concatenate([np.arange(length) for length in lengths]) if len(lengths) else np.array([], int)
    expected = {"index": np.arange(len(ticks)), "frame_index": ticks}
    expected["episode_index"] = np.repeat(np.arange(len(lengths)), lengths)
    return expected | {"timestamp": (ticks / dataset.fps).astype(np.float32)}


def _extended(root: str, frames: int, streaming: bool) -> Answer:
    """Record one more episode on a dataset."""
    dataset = LeRobotDataset(NAME, root, streaming_encoding=streaming)
    for tick in range(frames):
        frame: dict[str, Any] = {"task": "Resumed by the peer"}
        for key, feature in dataset.features.items():
            if feature["dtype"] in ("video", "image"):
                frame[key] = np.full(feature["shape"], 10 * tick, np.uint8)
            elif key not in ("timestamp", "frame_index", "episode_index", "index", "task_index"):
                frame[key] = np.full(feature["shape"], tick, feature["dtype"])
        dataset.add_frame(frame)
    dataset.save_episode()
    dataset.finalize()
    return {"episodes": dataset.num_episodes}
