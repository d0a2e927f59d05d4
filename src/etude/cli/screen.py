"""The live view in the terminal: drawn by a thread of its own, so that a slow terminal never holds up the robot."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etude.cli.console import say
from etude.cli.vitals import health_lines
from etude.rollout.live import View

if TYPE_CHECKING:
    from rich.console import Console

LOG_EVERY_S = 10.0
"""How often a line is printed where nothing can be drawn."""
_FAR_APART = 15.0
"""From how far on it is worth a word that the robot is not where it is wanted [its units]."""


@dataclass(kw_only=True)
class Caption:
    """What the view tells beside the rollout itself; the command writes it."""

    title: str
    hz: float
    phase: str = ""
    """What is going on, such as `episode 3 of 50`."""
    seconds_left: float | None = None
    """How long the rollout may still go on at its beginning [s]."""
    keys: str = ""
    """What the keys do."""
    is_held: bool = False
    gap: tuple[str, float] | None = None
    """The joint that is farthest from where it is wanted, and by how much."""
    problem: str = ""
    """What is wrong with the teleoperator."""


class Screen:
    """Draws what it is shown, a few times a second; `show` returns at once."""

    def __init__(self, caption: Caption, draw: Any) -> None:
        self.caption = caption
        self._draw, self._wakes, self._is_over = draw, threading.Event(), False
        self._view: View | None = None
        self._thread = threading.Thread(target=self._run, name="live view", daemon=True)
        self._thread.start()

    @property
    def is_log(self) -> bool:
        """Whether there is no terminal, only a log to write to."""
        return isinstance(self._draw, Log)

    def show(self, view: View) -> None:
        """Take what is to be drawn next."""
        self._view = view
        self._wakes.set()

    def close(self) -> None:
        """Draw what was shown last."""
        self._is_over = True
        self._wakes.set()
        self._thread.join()

    def _run(self) -> None:
        is_over = False
        while not is_over:
            self._wakes.wait()
            self._wakes.clear()
            is_over = self._is_over
            view, self._view = self._view, None
            if view:
                with suppress(OSError):  # the terminal is gone, and the robot goes on
                    self._draw(self.caption, view)


@contextmanager
def screen(caption: Caption) -> Generator[Screen]:
    """Show a live view for the length of a block: many lines, a single one on a dumb terminal, or a log without one."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    live = Live(console=console, auto_refresh=False)
    is_drawn = console.is_terminal and not console.is_dumb_terminal

    def draw(caption: Caption, view: View) -> None:
        live.update(page(caption, view), refresh=True)

    with live if is_drawn else nullcontext():
        shown = Screen(caption, draw if is_drawn else OneLine(console) if console.is_terminal else Log())
        try:
            yield shown
        finally:
            shown.close()


class Log:
    """A line now and then."""

    def __init__(self) -> None:
        self._next_s = time.monotonic() + LOG_EVERY_S

    def __call__(self, caption: Caption, view: View) -> None:
        """Print a line if it is time."""
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + LOG_EVERY_S
            say(f"{caption.title}: {summary(caption, view)}")


class OneLine:
    """A single line that is written over."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, caption: Caption, view: View) -> None:
        """Write the line."""
        width = max(self._console.width - 1, 10)
        self._console.file.write("\r" + summary(caption, view)[:width].ljust(width))
        self._console.file.flush()


def summary(caption: Caption, view: View) -> str:
    """Tell it in one line."""
    late = f", {view.late_ticks} late" if view.late_ticks else ""
    parts = [caption.phase, f"{view.rate_hz:.1f} Hz{late}", _time_left(caption, view)]
    parts += ["HELD"] if caption.is_held else []
    parts += [f"{view.num_events} with trouble"] if view.num_events else []
    parts += [*view.health.warnings[:1], *view.events[:1], *view.clipped[:1]]
    return " | ".join(part for part in parts if part)


def page(caption: Caption, view: View) -> Any:
    """Lay the view out."""
    from rich.console import Group
    from rich.text import Text

    going_on = "   ".join(part for part in (caption.phase, _time_left(caption, view)) if part)
    lines = [Text.assemble((caption.title, "bold"), "   ", going_on)]
    lines.append(_rate(caption, view))
    lines += [Text.assemble((f"{name:<8}", "dim"), text) for name, text in health_lines(view.health)]
    for name, style, remarks in (
        ("warning", "bold red", view.health.warnings),
        ("trouble", "red", view.events),
        ("gate", "yellow", view.clipped),
        ("note", "yellow", _notes(caption)),
    ):
        lines += [Text.assemble((f"{name:<8}", "dim"), (remark, style)) for remark in remarks[:4]]
    lines += [Text.assemble((f"{'keys':<8}", "dim"), caption.keys)] if caption.keys else []
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


def _rate(caption: Caption, view: View) -> Any:
    from rich.text import Text

    used, most = (1000 * each for each in view.used_s)
    period = 1000 / caption.hz
    late = f"{view.late_ticks} late" if view.late_ticks else "none late"
    return Text.assemble(
        (f"{'rate':<8}", "dim"),
        f"{view.rate_hz:.1f} of {caption.hz:g} Hz, ",
        (late, "yellow" if view.late_ticks else ""),
        f"; a tick works {used:.1f} of {period:.1f} ms, at most {most:.1f}",
    )


def _notes(caption: Caption) -> list[str]:
    notes = [f"{caption.problem}"] if caption.problem else []
    if caption.is_held:
        notes.append("The arm is held. The space bar lets it go on.")
    elif caption.gap and caption.gap[1] > _FAR_APART:
        joint, apart = caption.gap
        notes.append(f"{joint} is {apart:.0f} from where it is wanted; the arm goes there gently.")
    return notes


def _time_left(caption: Caption, view: View) -> str:
    passed = view.num_ticks / caption.hz
    if caption.seconds_left is None:
        return f"{passed:.0f} s"
    return f"{max(caption.seconds_left - passed, 0.0):.0f} s left"
