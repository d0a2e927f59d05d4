"""How fast training samples come, and what they cost: ACT's (1 observation, 100 actions) in random order, as JSON.

    python benchmarks/load.py [--folder=FOLDER] [--batch=8] [--native_samples=3000] [--peer]

Two datasets are made in FOLDER when they are not there: `filmed`, 10 episodes of 300 frames from two 640x480 cameras
in AV1, and `state`, the same without cameras. Each measurement runs in a process of its own; the page cache is warm.
`--peer` measures LeRobot on the same files, with the environment that `$ETUDE_PEER` names (see `peer.py`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EPISODES, LENGTH, FPS, ACTIONS = 10, 300, 30, 100
START = 19
"""Batches after the first that tell how a first pass starts: as many as the peer is measured on."""
BARS = {
    "first pass: samples/s of the peer's": 2.2,
    "first pass: CPU ms per sample": 7.0,
    "cached 224x224: samples/s": 13_300,
    "state only: samples/s": 47_000,
    "first batch: s from the start of the process": 1.5,
    "private MB per reader thread": 150,
}

Answer = dict[str, Any]


def make(folder: Path) -> dict[str, Path]:
    """Record the two datasets where they are not there."""
    import record  # noqa: PLC0415  a measurement imports what it needs alone

    from etude.core.spec import Spec  # noqa: PLC0415
    from etude.data import create_dataset  # noqa: PLC0415

    roots = {"filmed": folder / "filmed", "state": folder / "state"}
    vector, picture = Spec(shape=(6,), names=tuple("abcdef")), Spec(shape=(480, 640, 3), dtype="uint8")
    pictures = {} if all(root.exists() for root in roots.values()) else record.pool()
    for name, root in roots.items():
        if root.exists():
            continue
        cameras = record.CAMERAS if name == "filmed" else ()
        specs = {"observation.state": vector, **dict.fromkeys(cameras, picture), "action": vector}
        writer = create_dataset(root, specs, FPS)
        for episode, tick in itertools.product(range(EPISODES), range(LENGTH)):
            values = dict.fromkeys(("observation.state", "action"), 0 * _vector() + tick)
            shown = record.shown(tick + 31 * episode)  # every episode begins elsewhere, so no two are the same
            writer.add_frame(values | {key: pictures[key][shown] for key in cameras})
            if tick == LENGTH - 1:
                writer.save_episode("benchmark")
        writer.close()
    return roots


def _vector() -> Any:
    import numpy as np  # noqa: PLC0415

    return np.arange(6, dtype=np.float32)


def measure(options: argparse.Namespace) -> Answer:
    """Read samples in this process, which has done nothing else yet."""
    from etude.core.window import Window  # noqa: PLC0415  what is imported here is timed
    from etude.data import open_dataset  # noqa: PLC0415
    from etude.data.ahead import ahead  # noqa: PLC0415
    from etude.data.cache import FrameCache  # noqa: PLC0415
    from etude.data.sampler import EpisodeSampler  # noqa: PLC0415
    from etude.data.windows import Windows  # noqa: PLC0415

    before_mb = _private_mb()
    dataset = open_dataset(Path(options.measure))
    cache = FrameCache(Path(options.cache)) if options.cache else None
    size = (options.size, options.size) if options.size else None
    keys = [key for key in dataset.specs if key.startswith("observation") or key == "action"]
    window = Window(offsets={"action": tuple(range(ACTIONS))})
    windows = Windows(dataset, window, keys, image_size=size, cache=cache)
    sampler = EpisodeSampler(list(dataset.episodes), seed=0)
    count = options.samples // options.batch
    batches = ahead(lambda: sampler.draw(options.batch), windows.batch, count, readers=options.readers)
    next(batches)
    first_s = time.time() - options.began
    answer = {"first_batch_s": round(first_s, 3)} | _drawn(batches, options.batch, min(START, count // 2))
    answer["private_mb_added"] = round(_private_mb() - before_mb)
    if cache:
        flush = _Watch()
        cache.flush()
        answer |= {"flush_s": round(flush.wall_s(), 3), "entries_mb": round(_entries_mb(cache))}
    return answer


def _drawn(batches: Iterator[Any], size: int, start: int) -> Answer:
    watch = _Watch()
    for _ in itertools.islice(batches, start):
        pass
    answer = {"start": watch.rates(size * start)}
    return answer | watch.rates(size * (start + sum(1 for _ in batches)))


class _Watch:
    def __init__(self) -> None:
        self._began, self._cpu_s = time.perf_counter(), _cpu_s()

    def wall_s(self) -> float:
        return time.perf_counter() - self._began

    def rates(self, samples: int) -> Answer:
        cpu_ms = 1000 * (_cpu_s() - self._cpu_s) / samples
        rate = samples / self.wall_s()
        return {"samples": samples, "samples_per_s": round(rate, 1), "cpu_ms_per_sample": round(cpu_ms, 4)}


def _entries_mb(cache: Any) -> float:
    return sum(stored.num_bytes for stored in cache.listed()) / 1e6


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _private_mb() -> float:
    """Give the memory of this process, without mapped files; on other systems than Linux, its peak, those included."""
    rollup = Path("/proc/self/smaps_rollup")
    if not rollup.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    lines = rollup.read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous")) / 1024


def _in_own_process(root: Path, batch: int, samples: int, **options: Any) -> Answer:
    words = {"measure": root, "batch": batch, "samples": samples, "began": time.time(), **options}
    command = [sys.executable, __file__, *(f"--{name}={value}" for name, value in words.items())]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def etude(roots: dict[str, Path], batch: int, native_samples: int) -> Answer:
    """Measure Etude: the first pass, with the cache empty, and later ones."""
    one_pass, filmed = EPISODES * LENGTH, roots["filmed"]
    with tempfile.TemporaryDirectory(dir=filmed.parent) as folder:
        caches = {name: f"{folder}/{name}" for name in ("native", "one_reader", "small")}
        cases = {
            "first_pass_640x480": (filmed, batch, native_samples, {"cache": caches["native"]}),
            "first_pass_640x480_without_cache": (filmed, batch, native_samples, {}),
            "first_pass_224x224": (filmed, batch, one_pass, {"cache": caches["small"], "size": 224}),
            "cached_224x224": (filmed, batch, 8 * one_pass, {"cache": caches["small"], "size": 224}),
            "cached_224x224_batch_64": (filmed, 64, 8 * one_pass, {"cache": caches["small"], "size": 224}),
            "state_only": (roots["state"], batch, 60 * one_pass, {}),
            "state_only_batch_64": (roots["state"], 64, 200 * one_pass, {}),
            "one_reader": (filmed, batch, 200, {"readers": 1}),
            "four_readers": (filmed, batch, 200, {"readers": 4}),
        }
        answers = {name: _in_own_process(*case, **options) for name, (*case, options) in cases.items()}
    more = answers["four_readers"]["private_mb_added"] - answers["one_reader"]["private_mb_added"]
    return answers | {"private_mb_per_reader_thread": round(more / 3, 1)}


def peer(roots: dict[str, Path], batch: int) -> Answer:
    """Measure LeRobot with no and with two workers, and tell its best rates."""
    from peer import ask  # noqa: PLC0415  beside this file

    answers = {
        f"{name}, {workers} workers": ask("load", root=root, workers=workers, batch=batch)
        for name, root in roots.items()
        for workers in (0, 2)
    }
    best = {
        name: max((each.get("samples_per_s", 0.0) for told, each in answers.items() if told.startswith(name)))
        for name in roots
    }
    return answers | {"best_samples_per_s": best}


def ratios(ours: Answer, theirs: Answer) -> Answer:
    """Tell how many times as many samples per second as the peer's best."""
    best = theirs["best_samples_per_s"]
    cases = {"first_pass_640x480": "filmed", "first_pass_224x224": "filmed", "cached_224x224": "filmed"}
    return {
        name: round(ours[name]["samples_per_s"] / best[root], 1)
        for name, root in (cases | {"state_only": "state"}).items()
        if best[root]
    }


def main() -> None:
    """Measure one case in this process, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "etude-load")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--native_samples", type=int, default=EPISODES * LENGTH)
    parser.add_argument("--peer", action="store_true")
    for name, default in (("measure", ""), ("cache", ""), ("size", 0), ("samples", 0), ("readers", 2), ("began", 0.0)):
        parser.add_argument(f"--{name}", type=type(default), default=default, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    roots = make(options.folder)
    facts = {"batch": options.batch, "cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 1)}
    results = {"etude": etude(roots, options.batch, options.native_samples)}
    if options.peer:
        results["lerobot"] = peer(roots, options.batch)
        results["times the peer's best"] = ratios(results["etude"], results["lerobot"])
    print(json.dumps(facts | {"bars": BARS} | results, indent=2))


if __name__ == "__main__":
    main()
