"""What a dataset costs by its number of episodes: opening, memory, first batch, samples per second, as JSON.

Synthetic LeRobot v3.0 datasets of 300-frame episodes without pictures, state and action of 6 joints. Each figure is
measured in a process of its own, Python and imports included; `cold` has an empty column cache, `warm` the one that a
process before filled. Memory is the whole process: `rss` counts the pages of mapped files that it has touched, which
other processes share and the system takes back when it needs them; `anonymous` does not count them.

    python benchmarks/scale.py --episodes 10 1000 10000 100000 --folder /tmp/scale
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FPS, LENGTH, JOINTS = 30, 300, 6
EPISODES_PER_FILE = 2000
BAR = {"open_s": 2.0, "rss_mb": 500.0}
BATCH, CHUNK = 64, 100
SECONDS = 5.0


def write(root: Path, num_episodes: int, row_group: int) -> None:
    """Write a dataset whose every value follows from its row."""
    for file, first in enumerate(range(0, num_episodes, EPISODES_PER_FILE)):
        table = _frames(first, min(first + EPISODES_PER_FILE, num_episodes))
        path = root / f"data/chunk-000/file-{file:03d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="snappy", use_dictionary=False)
    _write_meta(root, num_episodes, row_group)


def _frames(first: int, stop: int) -> pa.Table:
    rows = np.arange(first * LENGTH, stop * LENGTH)
    tick, episode = rows % LENGTH, rows // LENGTH
    state = np.sin(rows[:, None] * 0.01 + np.arange(JOINTS)).astype(np.float32)
    columns = {
        "observation.state": _vectors(state),
        "action": _vectors(state + np.float32(0.1)),
        "timestamp": (tick / FPS).astype(np.float32),
        "frame_index": tick,
        "episode_index": episode,
        "index": rows,
        "task_index": episode % 10,
    }
    return pa.table(columns)


def _vectors(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def _write_meta(root: Path, num_episodes: int, row_group: int) -> None:
    index = np.arange(num_episodes)
    episodes = {
        "episode_index": index,
        "tasks": pa.array([[f"task {each % 10}"] for each in range(num_episodes)]),
        "length": np.full(num_episodes, LENGTH),
        "data/chunk_index": np.zeros(num_episodes, np.int64),
        "data/file_index": index // EPISODES_PER_FILE,
        "dataset_from_index": index * LENGTH,
        "dataset_to_index": (index + 1) * LENGTH,
    }
    number = pa.array(np.zeros(num_episodes))
    one = pa.ListArray.from_arrays(np.arange(num_episodes + 1, dtype=np.int32), number)
    six = pa.ListArray.from_arrays(
        np.arange(num_episodes + 1, dtype=np.int32) * JOINTS, pa.array(np.zeros(num_episodes * JOINTS))
    )
    names = ("min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99")
    for key, shape in _features().items():
        episodes |= {f"stats/{key}/{name}": six if shape == JOINTS and name != "count" else one for name in names}
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(episodes), path, row_group_size=row_group)
    pq.write_table(
        pa.table({"task_index": np.arange(10), "task": [f"task {each}" for each in range(10)]}),
        root / "meta/tasks.parquet",
    )
    _write_json(root, num_episodes)


def _features() -> dict[str, int]:
    own = dict.fromkeys(("timestamp", "frame_index", "episode_index", "index", "task_index"), 1)
    return {"observation.state": JOINTS, "action": JOINTS} | own


def _write_json(root: Path, num_episodes: int) -> None:
    types = {"timestamp": "float32", "observation.state": "float32", "action": "float32"}
    features = {
        key: {"dtype": types.get(key, "int64"), "shape": [size], "names": None} for key, size in _features().items()
    }
    info = {
        "codebase_version": "v3.0",
        "fps": FPS,
        "features": features,
        "total_episodes": num_episodes,
        "total_frames": num_episodes * LENGTH,
        "total_tasks": 10,
        "chunks_size": 1000,
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
        "robot_type": "synthetic",
    }
    (root / "meta/info.json").write_text(json.dumps(info))
    facts = ("mean", "std", "min", "max")
    stats = {
        key: {name: [0.0] * size for name in facts} | {"count": [num_episodes * LENGTH]}
        for key, size in _features().items()
    }
    (root / "meta/stats.json").write_text(json.dumps(stats))


def measure(root: Path) -> dict[str, float]:
    """Open the dataset in this process, and draw batches of ACT's samples from it."""
    began = time.perf_counter()
    from etude.core.window import Window  # noqa: PLC0415  imports are part of opening
    from etude.data import open_dataset  # noqa: PLC0415
    from etude.data.sampler import EpisodeSampler  # noqa: PLC0415
    from etude.data.windows import Windows  # noqa: PLC0415

    imported = time.perf_counter()
    dataset = open_dataset(root)
    opened = time.perf_counter()
    figures = {"import_s": imported - began, "open_s": opened - imported} | _memory("open")
    sampler = EpisodeSampler(dataset.episodes)
    windows = Windows(
        dataset, Window(offsets={"action": tuple(range(CHUNK))}), ["observation.state", "action"], image_size=None
    )
    windows.batch(sampler.draw(BATCH))
    figures |= {"first_batch_s": time.perf_counter() - opened} | _memory("first_batch")
    figures |= _rate(lambda: windows.batch(sampler.draw(BATCH))) | _memory("sampling")
    return {name: round(value, 4) for name, value in figures.items()}


def _rate(draw: object) -> dict[str, float]:
    assert callable(draw)
    count, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < SECONDS:
        draw()
        count += BATCH
    seconds = time.perf_counter() - began
    return {"samples_per_s": count / seconds, "cpu_us_per_sample": (time.process_time() - cpu) / count * 1e6}


def _memory(when: str) -> dict[str, float]:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    names = {"rss": "VmRSS", "peak": "VmHWM", "anonymous": "RssAnon"}
    return {f"{when}_{name}_mb": int(status[field].split()[0]) / 1e3 for name, field in names.items()}


def _in_own_process(root: Path, cache: Path) -> dict[str, float]:
    environment = os.environ | {"ETUDE_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, __file__, "--measure", str(root)]
    return json.loads(subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout)


def curve(folder: Path, sizes: list[int], row_group: int) -> list[dict[str, object]]:
    """Measure each size, cold and warm; the datasets are deleted again."""
    rows = []
    for num_episodes in sizes:
        root, cache = folder / f"episodes-{num_episodes}", folder / "cache"
        try:
            write(root, num_episodes, row_group)
            size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
            row: dict[str, object] = {"episodes": num_episodes, "frames": num_episodes * LENGTH, "mb": size / 1e6}
            row |= {when: _in_own_process(root, cache) for when in ("cold", "warm")}
            row["cache_mb"] = sum(path.stat().st_blocks * 512 for path in cache.rglob("*") if path.is_file()) / 1e6
            rows.append(row)
        finally:
            shutil.rmtree(root, ignore_errors=True)
            shutil.rmtree(cache, ignore_errors=True)
    return rows


def draw(rows: list[dict[str, object]], path: Path) -> None:
    """Draw the curve where matplotlib is installed."""
    try:
        from matplotlib import pyplot  # noqa: PLC0415  # pyright: ignore[reportMissingImports]
    except ImportError:
        return
    names = ("open_s", "first_batch_s", "open_rss_mb", "samples_per_s")
    _, axes = pyplot.subplots(1, len(names), figsize=(4 * len(names), 3))
    for axis, name in zip(axes, names, strict=True):
        for when in ("cold", "warm"):
            axis.plot([row["episodes"] for row in rows], [row[when][name] for row in rows], "o-", label=when)  # type: ignore[index]
        axis.set(xscale="log", xlabel="episodes", title=name, ylim=(0, None))
    axes[0].legend()
    pyplot.tight_layout()
    pyplot.savefig(path)


def main() -> None:
    """Measure, print JSON, and draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--row-group", type=int, default=100_000, help="rows per group of the episodes table")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "etude-scale")
    parser.add_argument("--png", type=Path)
    parser.add_argument("--measure", type=Path)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    rows = curve(options.folder, options.episodes, options.row_group)
    print(json.dumps({"bar": BAR, "row_group": options.row_group, "results": rows}, indent=2))
    if options.png:
        draw(rows, options.png)


if __name__ == "__main__":
    main()
