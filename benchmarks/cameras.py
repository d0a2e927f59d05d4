"""What two 640x480 cameras cost a control loop, as JSON: read in its own process, and through an owner process.

    python benchmarks/cameras.py [--ticks=300] [--hz=30] [--fps=30]

The cameras replay a film of Motion JPEG, as USB cameras send it, so that both ways decode the same pictures. Per tick:
how late the loop woke up, how long reading both cameras took, and the processor time of the loop's process.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from etude.core.clock import RealClock
from etude.hardware import cameras
from etude.hardware.cameras.camera_set import CameraSet
from etude.hardware.cameras.owner import Owner
from etude.hardware.device import connected

WIDTH, HEIGHT, PICTURES = 640, 480, 90


def make_film(path: Path) -> None:
    """Write a panning texture with noise, as Motion JPEG."""
    rng = np.random.default_rng(0)
    texture = cv2.resize(rng.integers(0, 255, (48, 64, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (WIDTH, HEIGHT))
    for number in range(PICTURES):
        noise = rng.integers(0, 8, texture.shape, np.uint8)
        film.write(cv2.add(np.roll(texture, 5 * number, 1), noise))
    film.release()


def measure(configs: dict[str, Any], ticks: int, hz: float) -> dict[str, Any]:
    """Read `configs` at `hz` for `ticks`."""
    clock, late_s, read_s = RealClock(), np.zeros(ticks), np.zeros(ticks)
    repeated = 0
    with connected(watched := CameraSet(configs)):
        watched.read()
        before, start, due = watched.times, time.process_time(), clock.now()
        for tick in range(ticks):
            due += 1 / hz
            clock.sleep_until(due)
            late_s[tick] = clock.now() - due
            watched.read()
            read_s[tick] = clock.now() - due - late_s[tick]
            repeated += sum(watched.times[key] == before[key] for key in before)
            before = watched.times
        spent_s = time.process_time() - start
        fps = {name: round(health.fps, 1) for name, health in watched.health().items()}
    return {
        "late_us": _quantiles(late_s),
        "read_us": _quantiles(read_s),
        "processor_us_per_tick": round(spent_s / ticks * 1e6),
        "repeated_share": round(repeated / ticks / len(configs), 3),
        "camera_fps": fps,
    }


def _quantiles(seconds: np.ndarray) -> dict[str, int]:
    return {name: round(float(np.quantile(seconds, q)) * 1e6) for name, q in (("p50", 0.5), ("p99", 0.99), ("max", 1))}


def main() -> None:
    """Measure both ways."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ticks", type=int, default=300)
    parser.add_argument("--hz", type=float, default=30.0)
    parser.add_argument("--fps", type=float, default=30.0)
    given = parser.parse_args()
    facts = vars(given) | {"codec": "mjpeg", "size": f"{WIDTH}x{HEIGHT}", "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        make_film(film := Path(folder) / "film.avi")
        configs = {name: cameras.config("video")(path=str(film), fps=given.fps) for name in ("front", "wrist")}
        results = {"in_process": measure(configs, given.ticks, given.hz)}
        with Owner(configs) as owner:
            results["owned"] = measure(owner.cameras, given.ticks, given.hz)
    print(json.dumps(facts | {"load_average": round(os.getloadavg()[0], 1)} | results, indent=2))


if __name__ == "__main__":
    main()
