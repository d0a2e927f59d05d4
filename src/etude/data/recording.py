"""One episode while it is recorded: rows in memory, pictures encoded as they come, statistics on the way."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etude.core.errors import DatasetError
from etude.core.frame import Frame
from etude.core.spec import Specs
from etude.core.stats import Stats
from etude.data.image_stats import histogram, image_stats
from etude.data.video import VideoReader, VideoWriter


@dataclass(frozen=True, kw_only=True)
class Take:
    """A finished episode that is not part of a dataset yet."""

    columns: dict[str, np.ndarray]
    """Per vector key, (frames, n)."""
    videos: dict[str, Path]
    """Per camera, a file of its own."""
    stats: dict[str, Stats]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


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


class OpenEpisode:
    """Collects the frames of one episode, its cameras' videos growing in files of their own."""

    def __init__(self, specs: Specs, cameras: Mapping[str, CameraRecorder], videos: dict[str, Path]) -> None:
        self._specs, self._cameras, self._videos = specs, cameras, videos
        self._rows: dict[str, list[np.ndarray]] = {key: [] for key in specs if key not in cameras}
        self.num_frames = 0

    def add(self, frame: Frame) -> None:
        """Append a frame that fits the specs."""
        for key, camera in self._cameras.items():
            camera.add(frame[key])
        for key, rows in self._rows.items():
            rows.append(frame[key].copy())
        self.num_frames += 1

    def finish(self) -> Take:
        """Finish the videos and measure everything; raise `DatasetError` unless every row has its pictures."""
        pictures = {key: camera.finish() for key, camera in self._cameras.items()}
        for path in self._videos.values():
            found = VideoReader(path).num_frames
            if found != self.num_frames:
                raise DatasetError(path, f"holds {found} pictures for {self.num_frames} frames. Record it again.")
        columns = {key: np.stack(rows) for key, rows in self._rows.items()}
        return Take(
            columns=columns,
            videos=self._videos,
            stats={key: Stats.of(values) for key, values in columns.items()} | pictures,
        )

    def discard(self) -> None:
        """Stop the cameras and delete their files."""
        for camera in self._cameras.values():
            camera.stop()
        for path in self._videos.values():
            path.unlink(missing_ok=True)
