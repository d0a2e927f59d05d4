"""The process that owns cameras: it opens them and lays their pictures out in memory, until its owner is gone."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TextIO

from etude.core.codec import decode
from etude.core.errors import CameraError, EtudeError
from etude.core.spec import Specs
from etude.hardware import cameras
from etude.hardware.cameras import place
from etude.hardware.cameras.ring import RingWriter
from etude.hardware.cameras.source import COLOUR, Pictures
from etude.hardware.device import Camera

_WAIT_S = 0.5
_PAUSE_S = 0.05


class Pump:
    """Moves a camera's pictures into its ring, in a thread."""

    def __init__(self, owner: str, name: str, config: Any) -> None:
        self._camera: Camera = cameras.build(config)
        self._stop = threading.Event()
        with ExitStack() as opened:
            opened.callback(self._camera.disconnect)
            self._camera.connect()
            specs: Specs = getattr(self._camera, "specs", None) or {COLOUR: self._camera.spec}
            self._ring = RingWriter(place.ring_path(owner, name), specs)
            opened.pop_all()
        self._thread = threading.Thread(target=self._run, name=f"share {name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the camera and remove its ring."""
        self._stop.set()
        self._thread.join(2 * _WAIT_S)
        self._camera.disconnect()
        self._ring.close()

    def _run(self) -> None:
        read = _reader(self._camera)
        while not self._stop.is_set():
            try:
                self._ring.write(read(), self._camera.taken_at)
            except CameraError:  # its health says why
                self._stop.wait(_PAUSE_S)
            self._ring.tell(self._camera.health())


def _reader(camera: Camera) -> Callable[[], Pictures]:
    """Give what waits for a camera's next pictures."""
    read_all: Callable[[float], Pictures] | None = getattr(camera, "read_all_next", None)
    return (lambda: read_all(_WAIT_S)) if read_all else lambda: {COLOUR: camera.read_next(_WAIT_S)}


def main() -> int:
    """Open the cameras that one line on stdin names, say so on stdout, and share them until stdin is closed."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows Ctrl-C reaches both processes; the other one decides
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a driver prints must not look like an answer
    order = json.loads(sys.stdin.readline())
    with ExitStack() as opened:
        try:
            for name, values in order["cameras"].items():
                config = decode(cameras.config(values.pop("type")), values, where=f"Camera '{name}'")
                opened.callback(Pump(order["owner"], name, config).close)
        except EtudeError as error:
            _say(answers, str(error))
            return 1
        _say(answers, "")
        threading.Thread(target=_await_end, args=(stop,), daemon=True).start()
        while not stop.wait(_WAIT_S) and os.getppid() == parent:
            pass
    return 0


def _await_end(stop: threading.Event) -> None:
    """Stop when the other side's end of stdin is closed, be it because it was killed."""
    while sys.stdin.readline():
        pass
    stop.set()


def _say(answers: TextIO, problem: str) -> None:
    answers.write(json.dumps({"problem": problem}) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
