"""Two programs that do the same work by turns, round after round, so that what disturbs one disturbs the other.

Each side is a process of its own that gets ready, prints one line of JSON about itself, and then does one round for
every line that it reads, answering in JSON. `answer` is that side; `alternate` asks both.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Answer = dict[str, Any]


def answer(about: Answer, work: Callable[[], Any]) -> None:
    """Be one side: do `work` once for each line read, and tell the time that it took."""
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        began, cpu_s = time.perf_counter(), _cpu_s()
        for _ in range(int(line)):
            work()
        print(json.dumps({"wall_s": time.perf_counter() - began, "cpu_s": _cpu_s() - cpu_s}), flush=True)


def alternate(commands: dict[str, Sequence[str]], *, rounds: int, repeats: int, threads: int) -> dict[str, Answer]:
    """Let each side warm up for a round, then do `rounds` of `repeats` by turns; give the times of one repeat."""
    sides = {name: _start(command, threads) for name, command in commands.items()}
    told = {name: _read(side) for name, side in sides.items()}
    found: dict[str, list[Answer]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            took = _ask(side, repeats)
            if number:
                found[name].append(took)
    for side in sides.values():
        assert side.stdin
        side.stdin.close()
        side.wait()
    return {name: told[name] | _summed(each, repeats) for name, each in found.items()}


def compared(found: dict[str, Answer], folder: Path | str, *, bar: float) -> Answer:
    """Set both sides beside each other; each has left its first chunk in `folder`, as `NAME.npy`."""
    if len(found) < 2:
        return found
    ours, theirs = (np.load(Path(folder) / f"{name}.npy") for name in ("etude", "lerobot"))
    length = min(len(ours), len(theirs))
    off = np.abs(ours[:length] - theirs[:length]).max() / max(1.0, np.abs(theirs).max())
    times = {kind: round(found["lerobot"][kind] / found["etude"][kind], 2) for kind in ("cpu_ms", "wall_ms")}
    return found | {"times_as_fast": times, "bar_cpu": bar, "difference": float(f"{off:.1e}")}


def machine() -> Answer:
    """Tell what was measured on."""
    flags = set(_first_line("/proc/cpuinfo", "flags").split())
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
    return {
        "cpu": _first_line("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "instructions": [flag for flag in wanted if flag in flags],
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }


def python(folder: str | None) -> str:
    """Give the interpreter of a virtual environment, or this one."""
    return str(Path(folder) / "bin/python") if folder else sys.executable


def _first_line(path: str, word: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(word)), "")


def _start(command: Sequence[str], threads: int) -> subprocess.Popen[str]:
    count = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | count)


def _ask(side: subprocess.Popen[str], repeats: int) -> Answer:
    assert side.stdin
    side.stdin.write(f"{repeats}\n")
    side.stdin.flush()
    return _read(side)


def _read(side: subprocess.Popen[str]) -> Answer:
    assert side.stdout
    for line in side.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise RuntimeError(f"{side.args} ended with exit code {side.wait()}")


def _summed(rounds: list[Answer], repeats: int) -> Answer:
    """Give the median and the range of one repeat's times [ms]; the least CPU time is what others disturbed least."""
    cpu, wall = ([1000 * each[name] / repeats for each in rounds] for name in ("cpu_s", "wall_s"))
    return {
        "cpu_ms": round(statistics.median(cpu), 1),
        "cpu_ms_range": [round(min(cpu), 1), round(max(cpu), 1)],
        "wall_ms": round(statistics.median(wall), 1),
    }


def _cpu_s() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, who))
