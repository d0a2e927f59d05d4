"""What LeRobot itself does with its datasets; runs with a Python that has LeRobot, see `peer.py`.

Each function answers in JSON: `lerobot` (its version) and figures. Times are seconds; `cpu_s` counts child processes
too. LeRobot decodes with torchcodec, its default.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from lerobot.datasets.dataset_tools import delete_episodes, merge_datasets
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from peer_commands import obey
from peer_reading import NAME, opens, opens_all
from record import CAMERAS, FPS, HEIGHT, WIDTH, pool, shown

ACTIONS = 100
"""Actions of an ACT sample; the observation is one frame."""

Answer = dict[str, Any]


def record(
    root: str,
    frames: int = 300,
    episode: int = 300,
    streaming: bool = True,
    vcodec: str = "libsvtav1",
    paced: bool = True,
) -> Answer:
    """Record two 640x480 cameras at 30 Hz: encoded on the way, or (LeRobot's default) as PNG files first.

    When frames come faster than they can be encoded on the way, which they do unless `paced`, LeRobot drops some.
    """
    pictures, before_mb = pool(), _peak_mb()
    dataset = _recorder(root, streaming, vcodec)
    add_s, save_s, clock = [], [], Stopwatch()
    began = time.perf_counter()
    for number in range(frames):
        tick = number % episode
        if not tick:
            began = time.perf_counter()
        if paced:
            time.sleep(max(0.0, began + tick / FPS - time.perf_counter()))
        state = np.full(6, tick, np.float32)
        frame = {"observation.state": state, "action": state, "task": "benchmark"}
        frame |= {key: pictures[key][shown(tick)] for key in CAMERAS}
        add_s.append(_timed(lambda frame=frame: dataset.add_frame(frame)))
        if tick == episode - 1:
            save_s.append(_timed(dataset.save_episode))
    finalize_s = _timed(dataset.finalize)
    answer = clock.answer() | {"cpu_ms_per_frame": 1000 * clock.cpu_s() / frames, "memory_mb": _peak_mb() - before_mb}
    answer |= {"streaming": streaming, "vcodec": vcodec, "paced": paced, "frames": frames}
    answer |= {"save_s": save_s, "finalize_s": finalize_s}
    return answer | _added(add_s) | _filmed(Path(root), frames)


def _recorder(root: str, streaming: bool, vcodec: str) -> LeRobotDataset:
    picture = {"dtype": "video", "shape": (HEIGHT, WIDTH, 3), "names": ["height", "width", "channels"]}
    vector = {"dtype": "float32", "shape": (6,), "names": list("abcdef")}
    features = {"observation.state": vector, **dict.fromkeys(CAMERAS, picture), "action": vector}
    writers = 0 if streaming else 4 * len(CAMERAS)
    return LeRobotDataset.create(
        NAME, FPS, features, root=root, vcodec=vcodec, streaming_encoding=streaming, image_writer_threads=writers
    )


def _added(add_s: list[float]) -> Answer:
    return {
        "add_ms_median": 1000 * statistics.median(add_s),
        "add_ms_max": 1000 * max(add_s),
        "add_over_33_ms": sum(each > 1 / FPS for each in add_s),
    }


def _filmed(root: Path, frames: int) -> Answer:
    videos = list(root.rglob("*.mp4"))
    dropped = frames * len(CAMERAS) - sum(map(_num_pictures, videos))
    return {"pictures_dropped": dropped, "video_mb": sum(path.stat().st_size for path in videos) / 1e6}


def load(
    root: str, workers: int = 0, batch: int = 8, batches: int = 20, actions: int = ACTIONS, seed: int = 0
) -> Answer:
    """Draw ACT samples in random order through a DataLoader, or with workers=-1 one by one from the dataset itself."""
    fps = json.loads((Path(root) / "meta/info.json").read_text())["fps"]
    clock = Stopwatch()
    dataset = LeRobotDataset(NAME, root, delta_timestamps={"action": [tick / fps for tick in range(actions)]})
    opened_s = clock.wall_s()
    order = torch.Generator().manual_seed(seed)
    if workers < 0:
        rows = torch.randint(len(dataset), (batch * batches,), generator=order).tolist()
        return _drawn((dataset[row] for row in rows), 1, len(rows)) | {"workers": workers, "open_s": opened_s}
    loader = torch.utils.data.DataLoader(
        dataset,
        batch,
        shuffle=True,
        generator=order,
        num_workers=workers,
        drop_last=True,
        persistent_workers=False,
        # A decoder of torchcodec does not survive a fork.
        multiprocessing_context="spawn" if workers else None,
    )
    drawn = iter(loader)
    answer = _drawn(drawn, batch, min(batches, len(loader)))
    answer["worker_private_mb"] = [_private_mb(worker.pid) for worker in getattr(drawn, "_workers", [])]
    return answer | {"workers": workers, "batch": batch, "open_s": opened_s}


def delete(root: str, out: str, episode: int = 4) -> Answer:
    """Delete one episode, which writes a new dataset."""
    dataset = LeRobotDataset(NAME, root)
    clock = Stopwatch()
    left = delete_episodes(dataset, [episode], output_dir=out, repo_id=f"{NAME}-less")
    return clock.answer() | {"episodes_before": dataset.num_episodes, "episodes": left.num_episodes}


def merge(roots: str, out: str) -> Answer:
    """Merge datasets, whose folders are separated by commas."""
    datasets = [LeRobotDataset(f"{NAME}-{number}", root) for number, root in enumerate(roots.split(","))]
    clock = Stopwatch()
    merged = merge_datasets(datasets, output_repo_id=f"{NAME}-merged", output_dir=out)
    return clock.answer() | {"episodes": merged.num_episodes, "frames": merged.num_frames}


def open_dataset(root: str) -> Answer:
    """Open a dataset and read the first row of its table; the first time converts the tables to a cache."""
    clock = Stopwatch()
    dataset = LeRobotDataset(NAME, root)
    dataset.hf_dataset[0]
    opened, again = clock.answer(), Stopwatch()
    LeRobotDataset(NAME, root).hf_dataset[0]
    return opened | {"again_s": again.wall_s(), "memory_mb": _peak_mb(), "episodes": dataset.num_episodes}


class Stopwatch:
    """Measures from its making on."""

    def __init__(self) -> None:
        self._began, self._cpu = time.perf_counter(), _cpu_s()

    def wall_s(self) -> float:
        """Give the time since."""
        return time.perf_counter() - self._began

    def cpu_s(self) -> float:
        """Give the processor time since, of this process and of its children that have ended."""
        return _cpu_s() - self._cpu

    def answer(self) -> Answer:
        """Begin an answer."""
        return {"lerobot": version("lerobot"), "wall_s": self.wall_s(), "cpu_s": self.cpu_s()}


def _drawn(samples: Any, batch: int, count: int) -> Answer:
    """Draw `count` times; the first is told apart, since workers and decoders start with it."""
    clock, pids = Stopwatch(), set[int]()
    next(samples)
    first_s, begun = clock.wall_s(), Stopwatch()
    pids = [worker.pid for worker in getattr(samples, "_workers", [])]
    used = sum(map(_process_cpu_s, pids))
    for _ in range(count - 1):
        next(samples)
    number = batch * (count - 1)
    cpu_s = begun.cpu_s() + sum(map(_process_cpu_s, pids)) - used
    rates = {"samples_per_s": number / begun.wall_s(), "cpu_ms_per_sample": 1000 * cpu_s / number}
    return {"lerobot": version("lerobot"), "first_batch_s": first_s, "samples": number, "memory_mb": _peak_mb()} | rates


def _num_pictures(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _cpu_s() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, who))


def _process_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _private_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


COMMANDS: dict[str, Callable[..., Answer]] = {
    "record": record,
    "load": load,
    "delete": delete,
    "merge": merge,
    "open": open_dataset,
    "opens": opens,
    "opens_all": opens_all,
}


if __name__ == "__main__":
    sys.exit(obey(sys.argv[1:], COMMANDS))
