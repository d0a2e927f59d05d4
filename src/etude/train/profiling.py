"""Where the time of an update goes: a trace for a browser, and a summary that fits on a screen."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch._C._autograd import DeviceType  # torch.autograd has it, too, but does not say that it may be used
from torch.profiler import ProfilerActivity, profile

from etude.core.errors import ConfigError
from etude.train.watchers import Run, Values, Watcher

PARTS = ("wait for samples", "encode", "forward", "backward", "meet", "optimizer", "average", "wait for results")
"""What the loop labels; all else, such as saving and watching, is the rest."""
WARM_UP = 3
"""Updates before, which load libraries and size buffers."""
TRACE, SUMMARY = "profile.json", "profile.txt"
_MOST_OPERATORS = 8


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the updates that were looked at, all together [ms]."""

    name: str
    wall_ms: float
    operators_ms: float
    """Of it, on the processor in PyTorch's operators; what is missing is Python's, or waiting."""
    device_ms: float
    """That it keeps a graphics card busy, which may be later."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a number of updates took."""

    num_updates: int
    wall_ms: float
    cpu_ms: float
    """Processor time in all threads."""
    parts: tuple[Part, ...]
    """Each once, and last the rest; their wall times add up."""
    operators: tuple[tuple[str, int, float], ...]
    """The most expensive ones: name, calls, and the time in itself [ms]."""

    def __str__(self) -> str:
        """Give a table of means over the updates."""
        each = 1 / self.num_updates
        device = any(part.device_ms for part in self.parts)
        wall, cpu = each * self.wall_ms, each * self.cpu_ms
        counted = f"{self.num_updates} update{'s, each' if self.num_updates > 1 else ','}"
        lines = [f"{counted} {wall:.1f} ms, of the processor {cpu:.1f} ms."]
        lines += [_row("", "share", "ms", "in operators", *(["on the GPU"] if device else []))]
        for part in self.parts:
            share, times = 100 * part.wall_ms / self.wall_ms, [part.wall_ms, part.operators_ms]
            times += [part.device_ms] if device else []
            lines.append(_row(part.name, f"{share:.1f} %", *(f"{each * value:.2f}" for value in times)))
        lines += ["", _row("operator", "calls", "ms")]
        lines += [
            _row(name[:34], f"{each * calls:.0f}", f"{each * value:.2f}") for name, calls, value in self.operators
        ]
        return "\n".join(line.rstrip() for line in lines)


class Profile(Watcher):
    """Profiles `num_updates` updates after a warm-up, leaves trace and summary in the run's folder, and says where."""

    def __init__(self, num_updates: int, say: Callable[[str], None]) -> None:
        if num_updates < 1:
            raise ConfigError(f"profile should be at least 1 update, got {num_updates}.")
        self._num_updates, self._say, self._seen = num_updates, say, 0
        self._profiler: profile | None = None

    def begin(self, run: Run) -> None:
        """Take the run; raise `ConfigError` when it has too few updates left."""
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else PyTorch says on standard error that it starts and stops
        self._run, steps = run, run.config.steps
        left = WARM_UP + 1 if steps is None else steps - run.step
        if left <= WARM_UP:
            raise ConfigError(f"--profile needs a run of more than {WARM_UP} updates, which warm up; {left} are left.")

    def step(self, step: int, values: Values) -> None:  # noqa: ARG002  what counts is that it is over
        """Start when it is warm, and stop when enough was seen."""
        self._seen += 1
        if self._seen == WARM_UP:
            activities = [ProfilerActivity.CPU]
            activities += [ProfilerActivity.CUDA] if self._run.setup.device.type == "cuda" else []
            self._profiler = profile(activities=activities)
            self._profiler.start()
            self._began = time.perf_counter(), time.process_time()
        elif self._seen == WARM_UP + self._num_updates:
            self._finish(self._num_updates)

    def end(self) -> None:
        """Make do with what there is, where the run is over sooner."""
        self._finish(self._seen - WARM_UP)

    def _finish(self, num_updates: int) -> None:
        profiler, self._profiler = self._profiler, None
        if profiler is None:
            return
        wall_ms, cpu_ms = (1e3 * (now - then) for now, then in zip(_clocks(), self._began, strict=True))
        profiler.stop()
        if num_updates < 1:
            return
        folder = self._run.config.output_dir
        profiler.export_chrome_trace(str(folder / TRACE))
        found = summary(profiler.events() or (), num_updates, wall_ms, cpu_ms)
        (folder / SUMMARY).write_text(f"{found}\n", encoding="utf-8")
        self._say(f"{found}\n\nProfiling itself takes time, too. The whole: open {folder / TRACE} in ui.perfetto.dev")


def summary(events: Iterable[Any], num_updates: int, wall_ms: float, cpu_ms: float) -> Summary:
    """Add up what PyTorch's profiler saw."""
    on_host = [event for event in events if event.device_type == DeviceType.CPU]
    labels = {name: [event for event in on_host if event.name == name] for name in PARTS}
    parts = [_part(name, found) for name, found in labels.items() if found]
    left = wall_ms - sum(part.wall_ms for part in parts)
    parts.append(Part(name="the rest", wall_ms=left, operators_ms=0.0, device_ms=0.0))
    times, calls = Counter[str](), Counter[str]()
    on_device = any(part.device_ms for part in parts)
    for event in on_host:
        if not event.is_user_annotation:
            times[event.name] += event.self_device_time_total if on_device else event.self_cpu_time_total
            calls[event.name] += 1
    most = [(name, calls[name], value / 1e3) for name, value in times.most_common(_MOST_OPERATORS)]
    return Summary(num_updates=num_updates, wall_ms=wall_ms, cpu_ms=cpu_ms, parts=tuple(parts), operators=tuple(most))


def _part(name: str, events: list[Any]) -> Part:
    within = [child for event in events for child in event.cpu_children]
    return Part(
        name=name,
        wall_ms=sum(event.cpu_time_total for event in events) / 1e3,
        operators_ms=sum(child.cpu_time_total for child in within) / 1e3,
        device_ms=sum(event.device_time_total for event in events) / 1e3,
    )


def _clocks() -> tuple[float, float]:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


def _row(name: str, *cells: str) -> str:
    return f"{name:<34}" + "".join(f"{cell:>13}" for cell in cells)
