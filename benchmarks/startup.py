"""How long `etude --help` and `etude record --help` take, and how much memory: median of ten processes, as JSON.

LeRobot's commands are measured in the same run where they are installed.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "etude --help": [sys.executable, "-m", "etude", "--help"],
    "etude record --help": [sys.executable, "-m", "etude", "record", "--help"],
    "etude train --help": [sys.executable, "-m", "etude", "train", "--help"],
    "lerobot-record --help": ["lerobot-record", "--help"],
    "lerobot-train --help": ["lerobot-train", "--help"],
}
REPEATS = 10
BAR = {"seconds": 0.4, "megabytes": 80.0}


def measure(words: list[str]) -> tuple[float, float]:
    """Give the wall time [s] and the peak memory [MB] of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} failed with exit code {process.returncode}")
    return seconds, _megabytes(usage)


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    """Measure each command that is installed."""
    found = {name: words for name, words in COMMANDS.items() if shutil.which(words[0])}
    rows = {}
    for name, words in found.items():
        measure(words)  # warms the file cache
        times, sizes = zip(*(measure(words) for _ in range(REPEATS)), strict=True)
        rows[name] = {"seconds": round(statistics.median(times), 3), "megabytes": round(statistics.median(sizes), 1)}
    print(json.dumps({"bar": BAR, "repeats": REPEATS, "results": rows}, indent=2))


if __name__ == "__main__":
    main()
