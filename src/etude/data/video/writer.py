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
from etude.data.video import encoders
from etude.data.video.priority import in_background
from etude.data.video.yuv import is_halvable, yuv420

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
"""A file that is whole after each group of pictures, whatever ends the process that writes it."""
_FASTSTART = {"movflags": "faststart"}
_REFUSED = "cannot be encoded as {} at {}x{} ({}). Choose another vcodec, such as libsvtav1."


class VideoWriter:
    """Encodes RGB pictures into a file as they come; the first decides the size.

    Codec names are LeRobot's, see `encoders`. A key frame every `g` pictures lets a reader start there. With
    `is_fragmented` what is in the file plays although the file was never finished; `remux` makes a plain one of it.
    Raises `DatasetError` when the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        fps: int,
        *,
        vcodec: str = "libsvtav1",
        crf: int = 30,
        g: int = 2,
        preset: int | str | None = None,
        is_fragmented: bool = False,
    ) -> None:
        self.path, self._fps, self._vcodec = path, fps, encoders.resolved(vcodec)
        self._crf, self._g, self._preset = crf, g, preset
        self._muxing = FRAGMENTED if is_fragmented else _FASTSTART
        self._container: OutputContainer | None = None

    def add(self, picture: np.ndarray) -> None:
        """Append a picture, uint8 (height, width, 3), which may be changed afterwards."""
        if self._container is None:
            self._open(*picture.shape[:2])
        with _written(self.path):
            self._mux(self._frame(picture))

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

    def _frame(self, picture: np.ndarray) -> av.VideoFrame:
        if self._stream.pix_fmt == "yuv420p" and is_halvable(*picture.shape[:2]):
            return av.VideoFrame.from_numpy_buffer(yuv420(picture), format="yuv420p")
        # `AREA` averages the colour of each 2x2 pixels, which is nearer to the picture than the default; as fast.
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(picture), format="rgb24")
        return frame.reformat(format=self._stream.pix_fmt, interpolation="AREA")

    def _open(self, height: int, width: int) -> None:
        os.environ.setdefault("SVT_LOG", "1")  # errors only; SVT-AV1 otherwise greets every file on stderr
        with _written(self.path):
            container = av.open(str(self.path), "w", options=self._muxing)
        try:
            self._stream = self._open_stream(container, height, width)
        except (FFmpegError, ValueError) as error:
            container.close()
            raise DatasetError(self.path, _REFUSED.format(self._vcodec, width, height, error)) from error
        self._container = container

    def _open_stream(self, container: OutputContainer, height: int, width: int) -> VideoStream:
        options = self._options(height * width * self._fps)
        stream = cast("VideoStream", container.add_stream(self._vcodec, rate=self._fps, options=options))
        stream.height, stream.width, stream.pix_fmt = height, width, self._pixel_format()
        in_background(lambda: stream.codec_context.open(strict=False))
        return stream

    def _pixel_format(self) -> str:
        return encoders.pixel_format(self._vcodec)

    def _options(self, pixels_per_s: float) -> dict[str, str]:
        return encoders.options(self._vcodec, crf=self._crf, g=self._g, preset=self._preset, pixels_per_s=pixels_per_s)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        assert self._container is not None
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


class DepthWriter(VideoWriter):
    """Encodes pictures of 12-bit codes, uint16 (height, width, 1), without loss: HEVC Main 12, as LeRobot does."""

    def __init__(self, path: Path, fps: int, *, g: int = 2, is_fragmented: bool = False) -> None:
        super().__init__(path, fps, vcodec="hevc", g=g, is_fragmented=is_fragmented)

    def _frame(self, picture: np.ndarray) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[..., 0]), format="gray12le")

    def _pixel_format(self) -> str:
        return "gray12le"

    def _options(self, pixels_per_s: float) -> dict[str, str]:
        del pixels_per_s
        return encoders.DEPTH_OPTIONS | {"g": str(self._g)}


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise DatasetError(path, f"cannot be written ({error.strerror}). Is the disk full?") from error
