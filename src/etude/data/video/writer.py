"""Pictures into a video file, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from etude.core.errors import DatasetError


class VideoWriter:
    """Encodes RGB pictures into a file as they come; the first decides the size.

    Codec names are LeRobot's: `libsvtav1`, `h264`, `hevc`. A key frame every `g` pictures lets a reader start there;
    `preset` (0 slow to 13 fast) speaks to SVT-AV1 alone. Raises `DatasetError` when the file cannot be written.
    """

    def __init__(
        self, path: Path, fps: int, *, vcodec: str = "libsvtav1", crf: int = 30, g: int = 2, preset: int = 12
    ) -> None:
        self.path, self._fps, self._vcodec = path, fps, vcodec
        self._options = {"g": str(g), "crf": str(crf)}
        if vcodec == "libsvtav1":
            self._options |= {"preset": str(preset), "svtav1-params": "fast-decode=0"}
        self._container: OutputContainer | None = None

    def add(self, picture: np.ndarray) -> None:
        """Append a picture, uint8 (height, width, 3)."""
        with _written(self.path):
            if self._container is None:
                self._open(*picture.shape[:2])
            self._mux(av.VideoFrame.from_ndarray(picture, format="rgb24"))

    def close(self) -> None:
        """Finish the file; without a picture there is none."""
        if self._container is None:
            return
        container = self._container
        try:
            with _written(self.path):
                self._mux(None)
        finally:
            self._container = None
            with _written(self.path):
                container.close()

    def _open(self, height: int, width: int) -> None:
        os.environ.setdefault("SVT_LOG", "1")  # errors only; SVT-AV1 otherwise greets every file on stderr
        container = av.open(str(self.path), "w", options={"movflags": "faststart"})
        self._container = container
        self._stream = cast("VideoStream", container.add_stream(self._vcodec, rate=self._fps, options=self._options))
        self._stream.height, self._stream.width, self._stream.pix_fmt = height, width, "yuv420p"

    def _mux(self, frame: av.VideoFrame | None) -> None:
        assert self._container is not None
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise DatasetError(path, f"cannot be written ({error.strerror}). Is the disk full?") from error
