"""One camera while it is recorded: pictures encoded as they come, statistics on the way."""

from __future__ import annotations

import queue
import threading

import numpy as np

from etude.core.stats import Stats
from etude.data.image_stats import histogram, image_stats
from etude.data.video import VideoWriter


class CameraRecorder:
    """Encodes one camera's pictures in a thread of its own, and measures them.

    `add` waits while `queue_size` pictures are waiting: a picture is never dropped.
    """

    def __init__(self, video: VideoWriter, queue_size: int) -> None:
        self._video = video
        self._waiting: queue.Queue[np.ndarray | None] = queue.Queue(queue_size)
        self._histograms: list[np.ndarray] = []
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._encode_all, name=f"encode {video.path.name}", daemon=True)
        self._thread.start()

    def add(self, picture: np.ndarray) -> None:
        """Hand over a copy of `picture`; raise what the encoder failed with, if it did."""
        if self._failure:
            raise self._failure
        self._waiting.put(picture.copy())

    def finish(self) -> Stats:
        """Wait until all is encoded and the file is closed; give the statistics of the pictures."""
        self.stop()
        if self._failure:
            raise self._failure
        return image_stats(np.stack(self._histograms))

    def stop(self) -> None:
        """End the thread and close the file, whatever is in it."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _encode_all(self) -> None:
        # After a failure the queue is still emptied, so that nobody waits for room in it forever.
        while (picture := self._waiting.get()) is not None:
            self._attempt(picture)
        self._attempt(None)

    def _attempt(self, picture: np.ndarray | None) -> None:
        try:
            if picture is None:
                self._video.close()
            elif self._failure is None:
                self._video.add(picture)
                self._histograms.append(histogram(picture))
        except Exception as error:  # noqa: BLE001  whatever it is, the thread that records must raise it
            self._failure = self._failure or error
