"""The simulated cameras as MJPEG over HTTP, in a process of their own: drawing must not make the servos late."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import SynchronizedArray

import numpy as np
import simplejpeg

from etude.core.errors import DeviceError
from etude.hardware.physics import mujoco
from etude.sim.pictures import Pictures

_HOST = "127.0.0.1"
_BOUNDARY = "picture"
_JPEG_QUALITY = 90
_START_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What the pictures are like."""

    width: int
    height: int
    fps: float


class CameraProcess:
    """Draws and serves what it is shown with `show`, until it is closed or the process that started it ends."""

    def __init__(self, model: mujoco.MjModel, shape: Shape) -> None:
        context = multiprocessing.get_context("spawn")  # a forked child would inherit this process's OpenGL
        self._state = context.Array("d", model.nq)
        self._link, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(model, self._state, shape, theirs), daemon=True)
        self._process.start()
        theirs.close()
        port = self._await_port()
        self.urls = {view: f"http://{_HOST}:{port}/{view}.mjpg" for view in _views(model)}
        """Address of each camera by view."""

    def show(self, positions: np.ndarray) -> None:
        """Let the cameras see the world with these generalised positions; raise `DeviceError` when they are gone."""
        if not self._process.is_alive():
            raise DeviceError("The process that draws the simulated cameras has ended.")
        with self._state.get_lock():
            self._state[:] = positions.tolist()

    def close(self) -> None:
        """End the process."""
        self._link.close()
        self._process.join(timeout=2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _await_port(self) -> int:
        """Wait until the cameras answer; raise `DeviceError` with the reason when they do not."""
        try:
            answer = self._link.recv() if self._link.poll(_START_S) else "it did not start in time."
        except EOFError:
            answer = "it ended at once."
        if not isinstance(answer, int):
            self.close()
            raise DeviceError(f"The process that draws the simulated cameras failed: {answer}")
        return answer


class _Stream:
    """The newest picture of one camera, and who waits for it."""

    def __init__(self) -> None:
        self._new = threading.Condition()
        self._jpeg, self._count = b"", 0
        self.watchers = 0

    def publish(self, jpeg: bytes) -> None:
        with self._new:
            self._jpeg, self._count = jpeg, self._count + 1
            self._new.notify_all()

    def pictures(self) -> Generator[bytes]:
        with self._watched():
            seen = self._count
            while True:
                with self._new:
                    self._new.wait_for(lambda seen=seen: self._count != seen)
                    jpeg, seen = self._jpeg, self._count
                yield jpeg

    @contextmanager
    def _watched(self) -> Generator[None]:
        with self._new:
            self.watchers += 1
        try:
            yield
        finally:
            with self._new:
                self.watchers -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, streams: dict[str, _Stream]) -> None:
        super().__init__((_HOST, 0), _Handler)
        self.streams = {f"/{view}.mjpg": stream for view, stream in streams.items()}


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").partition(":")[0]
        if host not in (_HOST, "localhost"):  # a web page that renamed this computer must not look through the cameras
            self.send_error(HTTPStatus.FORBIDDEN, "Ask for 127.0.0.1.")
        elif self.path not in self.server.streams:
            self.send_error(HTTPStatus.NOT_FOUND, f"There are {', '.join(self.server.streams)}.")
        else:
            self._stream(self.server.streams[self.path])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Say nothing; the default is a line on stderr for every request."""

    def _stream(self, stream: _Stream) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        for jpeg in stream.pictures():
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:  # the viewer went away
                return


def _run(model: mujoco.MjModel, state: SynchronizedArray, shape: Shape, link: Connection) -> None:
    """Be the process: draw what is watched, `shape.fps` times a second, until the other end of `link` is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the other one decides
    onlooker = _Onlooker(model, state, shape)
    streams = {view: _Stream() for view in _views(model)}
    try:
        onlooker.draw(next(iter(streams)))
    except DeviceError as error:
        link.send(str(error))
        return
    with _Server(streams) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        link.send(server.server_port)
        due = time.perf_counter()
        while not link.poll(max(0.0, due - time.perf_counter())):
            due = max(due + 1 / shape.fps, time.perf_counter())
            onlooker.look()
            for view, stream in streams.items():
                if stream.watchers:
                    stream.publish(onlooker.draw(view))
        server.shutdown()


def _views(model: mujoco.MjModel) -> list[str]:
    return [model.camera(number).name for number in range(model.ncam)]


class _Onlooker:
    """A copy of the scene that is only looked at."""

    def __init__(self, model: mujoco.MjModel, state: SynchronizedArray, shape: Shape) -> None:
        self._model, self._state, self._shape = model, state, shape
        self._data = mujoco.MjData(self._model)
        self._pictures = Pictures(self._model)
        self.look()

    def look(self) -> None:
        """Pose the copy like the world."""
        with self._state.get_lock():
            self._data.qpos[:] = self._state[:]
        mujoco.mj_forward(self._model, self._data)

    def draw(self, view: str) -> bytes:
        """Give a JPEG of `view`."""
        picture = self._pictures.take(self._data, view, self._shape.height, self._shape.width)
        return simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=_JPEG_QUALITY)
