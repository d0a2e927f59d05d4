"""One camera while it is recorded: pictures encoded as they come, statistics on the way."""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue

import numpy as np

from etude.core.stats import Stats
from etude.data.depth import DepthCoding, count_depths, depth_stats
from etude.data.image_stats import histogram, image_stats, thinned
from etude.data.video import DepthWriter, VideoWriter


class CameraRecorder:
    """Encodes one camera's pictures in a thread of its own, and measures them.

    `add` waits while `queue_size` pictures are waiting: a picture is never dropped. `waits` and `waited_s` tell how
    often, and how long in all.
    """

    def __init__(self, video: VideoWriter, queue_size: int) -> None:
        self.waits, self.waited_s = 0, 0.0
        self._video, self._room = video, queue_size
        # These queues take no lock that Python code holds, so handing over costs microseconds.
        self._waiting: SimpleQueue[np.ndarray | None] = SimpleQueue()
        self._free: SimpleQueue[np.ndarray] = SimpleQueue()
        self._histograms: list[np.ndarray] = []
        self._failure: Exception | None = None
        self._is_ended = False
        self._thread = threading.Thread(target=self._encode_all, name=f"encode {video.path.name}", daemon=True)
        self._thread.start()

    def add(self, picture: np.ndarray) -> None:
        """Hand over a copy of `picture`; raise what the encoder failed with, if it did."""
        if self._failure:
            raise self._failure
        buffer = self._buffer(picture)
        np.copyto(buffer, picture)
        self._waiting.put(buffer)

    def end(self) -> None:
        """Say that no picture follows, without waiting; several cameras then finish at the same time."""
        if not self._is_ended:
            self._is_ended = True
            self._waiting.put(None)

    def finish(self) -> Stats:
        """Wait until all is encoded and the file is closed; give the statistics of the pictures."""
        self.stop()
        if self._failure:
            raise self._failure
        return self._measured()

    def stop(self) -> None:
        """End the thread and close the file, whatever is in it."""
        self.end()
        self._thread.join()

    def _encode(self, picture: np.ndarray) -> None:
        self._video.add(picture)
        self._histograms.append(histogram(picture))

    def _measured(self) -> Stats:
        return image_stats(np.stack(self._histograms))

    def _buffer(self, picture: np.ndarray) -> np.ndarray:
        """Give a buffer that nobody uses: an old one if there is, for new memory is slow to touch."""
        try:
            return self._free.get_nowait()
        except Empty:
            pass
        if self._room:
            self._room -= 1
            return np.empty_like(picture, order="C")
        began = time.perf_counter()
        buffer = self._free.get()
        self.waits += 1
        self.waited_s += time.perf_counter() - began
        return buffer

    def _encode_all(self) -> None:
        # After a failure the pictures are still taken, so that nobody waits for room forever.
        while (picture := self._waiting.get()) is not None:
            self._attempt(picture)
            self._free.put(picture)
        self._attempt(None)

    def _attempt(self, picture: np.ndarray | None) -> None:
        try:
            if picture is None:
                self._video.close()
            elif self._failure is None:
                self._encode(picture)
        except Exception as error:  # noqa: BLE001  whatever it is, the thread that records must raise it
            self._failure = self._failure or error


class DepthRecorder(CameraRecorder):
    """Encodes one depth camera's pictures, millimetres as uint16 (height, width, 1), and measures them."""

    def __init__(self, video: DepthWriter, queue_size: int, coding: DepthCoding) -> None:
        self._coding, self._num_frames, self._counts = coding, 0, np.zeros(1, np.int64)
        super().__init__(video, queue_size)

    def _encode(self, picture: np.ndarray) -> None:
        self._video.add(self._coding.quantised(picture))
        self._counts = self._counts + count_depths(thinned(picture))
        self._num_frames += 1

    def _measured(self) -> Stats:
        return depth_stats(self._counts, self._num_frames)
