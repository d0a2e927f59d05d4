"""Encoding pictures again, the way the stream that they come from was encoded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from etude.data.video import encoders
from etude.data.video.packets import Film, reading, writing
from etude.data.video.priority import unhurried

_G, _CRF = 2, 30
"""What LeRobot encodes with where a dataset does not say."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How pictures are to be coded."""

    vcodec: str
    """The encoder: `libsvtav1`, `h264`, `hevc`."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Encoding:
        """Read what the `info` of a LeRobot feature says about its video."""
        codec = str(info.get("video.codec", "av1"))
        vcodec = "libsvtav1" if codec == "av1" else codec
        options = encoders.options(
            vcodec,
            crf=int(_given(info, "crf", _CRF)),
            g=int(_given(info, "g", _G)),
            preset=info.get("video.preset"),
            pixels_per_s=_given(info, "height", 0) * _given(info, "width", 0) * _given(info, "fps", 0),
        )
        extra = {name: str(value) for name, value in (info.get("video.extra_options") or {}).items()}
        return cls(vcodec=vcodec, options=options | extra)


def recode(film: Film, start: int, stop: int, path: Path, encoding: Encoding, *, pix_fmt: str = "") -> None:
    """Encode pictures `start` to `stop` of `film` again, into the file `path`."""
    os.environ.setdefault("SVT_LOG", "1")  # errors only; SVT-AV1 otherwise greets every file on stderr
    rate = film.rate
    path.parent.mkdir(parents=True, exist_ok=True)
    with unhurried(), writing(path), closing(av.open(str(path), "w", options={"movflags": "faststart"})) as container:
        stream = cast("VideoStream", container.add_stream(encoding.vcodec, rate=rate, options=_quiet(encoding)))
        stream.width, stream.height, stream.pix_fmt = film.coding.width, film.coding.height, pix_fmt or film.pix_fmt
        packets: list[av.Packet] = []
        for number, frame in enumerate(_decoded(film, start, stop)):
            if not number:
                _keep_colours(stream, frame)
            packets += stream.encode(_as_new(frame, number, rate))
        container.mux(_in_time([*packets, *stream.encode(None)]))


def _quiet(encoding: Encoding) -> dict[str, str]:
    """Keep x265 from telling its life on stderr."""
    if encoding.vcodec != "hevc":
        return dict(encoding.options)
    parameters = encoding.options.get("x265-params")
    return {**encoding.options, "x265-params": f"{parameters + ':' if parameters else ''}log-level=error"}


def _given(info: Mapping[str, Any], name: str, default: float) -> float:
    value = info.get(f"video.{name}")
    return default if value is None else value


def _decoded(film: Film, start: int, stop: int) -> Iterator[VideoFrame]:
    """Decode pictures by their number; a decoder may leave out none of them."""
    with reading(film.path), av.open(str(film.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        film.seek(container, stream, start)
        yield from _between(container.decode(stream), film, start, stop)


def _between(frames: Iterable[VideoFrame], film: Film, start: int, stop: int) -> Iterator[VideoFrame]:
    wanted = start
    for frame in frames:
        number = film.number_of(frame.pts)
        if number == wanted:
            yield frame
            wanted += 1
        if wanted == stop:
            return
    raise film.damaged(wanted)


def _keep_colours(stream: VideoStream, frame: VideoFrame) -> None:
    context = stream.codec_context
    context.color_range, context.colorspace = frame.color_range, frame.colorspace


def _in_time(packets: list[av.Packet]) -> list[av.Packet]:
    """Say again when to decode each packet: x265 makes it up where it encodes a single picture."""
    delay = max(index - (packet.pts or 0) for index, packet in enumerate(packets))
    for index, packet in enumerate(packets):
        packet.dts = index - delay
    return packets


def _as_new(frame: VideoFrame, number: int, rate: int) -> VideoFrame:
    """Let the encoder choose the kind of picture, and give it a time of its own."""
    frame.pts, frame.time_base = number, Fraction(1, rate)
    frame.pict_type = 0
    return frame
