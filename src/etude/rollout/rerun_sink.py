"""A rollout in the rerun viewer while it runs; a thread of its own sends what the loop leaves for it."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np

from etude.core.errors import DeviceError, MissingExtra
from etude.core.frame import STATE, Frame, images
from etude.envs.env import Step

EVERY_S = 0.1
"""How often pictures and curves are sent; the curves have every tick."""
_TIME = "time"
_PATIENCE_S = 5.0
"""How long the viewer may take for what is left at the end."""
_MEMORY = "25%"
"""What the viewer may use of the computer's memory, until it forgets the oldest."""


class RerunSink:
    """Sends states, actions and pictures to a rerun recording, a few times a second, and never waits for it."""

    def __init__(self, rerun: Any, recording: Any) -> None:
        self._rerun, self._recording = rerun, recording
        self._rows: deque[tuple[float, np.ndarray, np.ndarray]] = deque()
        self._newest: tuple[float, Frame] | None = None
        self._began_s = time.perf_counter()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rerun", daemon=True)

    @classmethod
    @contextmanager
    def opened(cls, path: Path | None = None) -> Generator[Self]:
        """Open the viewer on this computer, or write to the file `path`, for the length of a block."""
        rerun = _rerun()
        recording = rerun.RecordingStream("etude")
        try:
            if path:
                recording.save(path)
            else:
                rerun.spawn(recording=recording, memory_limit=_MEMORY, executable_path=_viewer())
        except (RuntimeError, OSError) as error:
            reason = str(error).strip().partition("\n")[0].rstrip(".")
            raise DeviceError(f"The rerun viewer cannot be opened: {reason}. Leave out --display.") from error
        sink = cls(rerun, recording)
        sink.start()
        try:
            yield sink
        finally:
            sink.close()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self) -> None:
        """Send what is left and let go of the viewer."""
        self._is_over.set()
        self._thread.join()
        with suppress(RuntimeError):  # somebody closed the viewer, and what it should have shown is of no use any more
            self._recording.flush(timeout_sec=_PATIENCE_S)
        self._recording.disconnect()

    def begin(self, seed: int) -> None:
        """Go on; episodes follow one another on the same timeline."""
        del seed

    def tick(self, frame: Frame, step: Step) -> None:
        """Leave the tick for the thread."""
        now = time.perf_counter() - self._began_s
        self._rows.append((now, frame[STATE], step.action))
        self._newest = now, frame

    def end(self, success: bool) -> None:
        """Keep what was sent."""
        del success

    def abort(self, *exception: object) -> None:
        """Keep what was sent."""
        del exception

    def _run(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._is_over.wait(EVERY_S)
            self._send()

    def _send(self) -> None:
        newest, self._newest = self._newest, None
        if newest is None:
            return
        rows = [self._rows.popleft() for _ in range(len(self._rows))]
        times, states, actions = zip(*rows, strict=True)
        self._send_curves("state", times, np.stack(states))
        self._send_curves("action", times, np.stack(actions))
        now, frame = newest
        self._recording.set_time(_TIME, duration=now)
        for key in images(frame):
            self._recording.log(key.removeprefix("observation.").replace(".", "/"), self._picture(frame[key]))

    def _send_curves(self, name: str, times: tuple[float, ...], values: np.ndarray) -> None:
        when = [self._rerun.TimeColumn(_TIME, duration=np.array(times))]
        flat = self._rerun.Scalars.columns(scalars=values.astype(np.float64).reshape(-1))
        self._recording.send_columns(name, when, flat.partition([values.shape[1]] * len(values)))

    def _picture(self, picture: np.ndarray) -> Any:
        return self._rerun.Image(picture) if picture.dtype == np.uint8 else self._rerun.DepthImage(picture[..., 0])


def _viewer() -> str | None:
    """Find the viewer's program where pip puts it, which is on the path only in an activated environment."""
    beside = Path(sys.executable).with_name("rerun.exe" if sys.platform == "win32" else "rerun")
    return str(beside) if beside.exists() else None


def _rerun() -> Any:
    try:
        return importlib.import_module("rerun")
    except ModuleNotFoundError as error:
        raise MissingExtra("The rerun viewer", "viz") from error
