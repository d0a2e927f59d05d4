"""One episode while it is recorded: rows in memory, its pictures with the cameras' recorders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etude.core.errors import DatasetError
from etude.core.frame import Frame
from etude.core.spec import Specs
from etude.core.stats import Stats
from etude.data.camera_recorder import CameraRecorder
from etude.data.video import VideoReader


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
        for camera in self._cameras.values():
            camera.end()
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
