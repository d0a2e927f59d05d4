"""Video encoders: the names and options that LeRobot 0.6.2 knows, and which of them work on this machine."""

from __future__ import annotations

import io
from functools import cache
from typing import cast

import av
import numpy as np
from av.error import FFmpegError
from av.video.stream import VideoStream

from etude.data.video.priority import unhurried

_HARDWARE = (
    "h264_videotoolbox",
    "hevc_videotoolbox",
    "h264_nvenc",
    "hevc_nvenc",
    "h264_vaapi",
    "h264_qsv",
)
"""In the order in which `auto` tries them."""

_IN_ORDER, _QUIET = "open-gop=0:bframes=0", "log-level=error"
"""Every key picture of x265 is one to start at, and pictures are coded in the order in which they are shown: they are
read at random. (With pictures out of order it also gives a film of a single picture an impossible time.)
"""
DEPTH_PRESET, DEPTH_PARAMETERS = "ultrafast", {"x265-params": f"lossless=1:ctu=16:min-cu-size=16:{_IN_ORDER}"}
DEPTH_OPTIONS = {"preset": DEPTH_PRESET, "x265-params": f"{DEPTH_PARAMETERS['x265-params']}:{_QUIET}"}
"""HEVC without loss. Slower presets and larger blocks cost up to four times the time and save 5 % of the bytes."""

_SVT_PRESET = 12
_ONE_THREAD = 640 * 480 * 32
"""Pixels a second up to which one thread of SVT-AV1 keeps up; more threads cost processor time and memory."""
_SHORT_GROUP = 4
"""Pictures per key frame up to which an encoder has nothing to look ahead to."""


def resolved(vcodec: str) -> str:
    """Give `vcodec`, and for `auto` the first hardware encoder that works here, else `libsvtav1`."""
    if vcodec != "auto":
        return vcodec
    return next((name for name in _HARDWARE if works(name)), "libsvtav1")


@cache
def works(vcodec: str) -> bool:
    """Whether this machine encodes a small picture with `vcodec`; a name that FFmpeg knows may lack its hardware."""
    try:
        with unhurried(), av.open(io.BytesIO(), "w", format="mp4") as container:
            stream = cast("VideoStream", container.add_stream(vcodec, rate=30))
            stream.width, stream.height, stream.pix_fmt = 256, 256, pixel_format(vcodec)
            picture = av.VideoFrame.from_ndarray(np.zeros((256, 256, 3), np.uint8))
            container.mux([*stream.encode(picture), *stream.encode(None)])
    except (FFmpegError, ValueError):
        return False
    return True


def stream_name(vcodec: str) -> str:
    """Give the name of the streams that `vcodec` makes, as `meta/info.json` states it."""
    name = resolved(vcodec)
    return "av1" if name.endswith("av1") else name.partition("_")[0]


def preset_of(vcodec: str, preset: int | str | None) -> int | str | None:
    """Give the preset that `vcodec` is run with; LeRobot's default speaks to SVT-AV1 alone."""
    return _SVT_PRESET if preset is None and resolved(vcodec) == "libsvtav1" else preset


def pixel_format(vcodec: str) -> str:
    """Give the layout of the pictures that `vcodec` takes."""
    return "nv12" if vcodec.endswith(("_qsv", "_vaapi")) else "yuv420p"


def options(vcodec: str, *, crf: int, g: int, preset: int | str | None, pixels_per_s: float) -> dict[str, str]:
    """Give FFmpeg's options for an encoder, mapped as LeRobot maps them; `preset` none leaves it to the encoder."""
    values: dict[str, int | str | None] = {"g": g, **_quality(vcodec, crf)}
    if not vcodec.endswith(("_vaapi", "_videotoolbox")):
        values["preset"] = preset_of(vcodec, preset)
    if vcodec == "hevc":
        values["x265-params"] = f"{_IN_ORDER}:{_QUIET}"
    if vcodec == "libsvtav1":
        values["svtav1-params"] = _svt_parameters(g, pixels_per_s)
    return {name: str(value) for name, value in values.items() if value is not None}


def _quality(vcodec: str, crf: int) -> dict[str, int | str]:
    match vcodec.rpartition("_")[2]:
        case "videotoolbox":
            return {"q:v": min(max(100 - 2 * crf, 1), 100)}
        case "nvenc":
            return {"rc": 0, "qp": crf}
        case "vaapi":
            return {"qp": crf}
        case "qsv":
            return {"global_quality": crf}
        case _:
            return {"crf": crf, "row-mt": 1} if vcodec == "libaom-av1" else {"crf": crf}


def _svt_parameters(g: int, pixels_per_s: float) -> str:
    """Give LeRobot's parameters, and for short groups those that spare work which has nothing to work with there."""
    parameters = ["fast-decode=0", "scm=0"]  # a camera never films drawn windows, and asking costs a twentieth
    if pixels_per_s <= _ONE_THREAD:
        parameters.append("lp=1")
    if g <= _SHORT_GROUP:
        # Nothing after the next key frame is worth waiting for: a third of the memory, half the wait at the end. Mixing
        # key frames with their neighbours, and looking for cuts, hold pictures back and make files no smaller here.
        parameters += ["hierarchical-levels=2", "lookahead=0", "enable-tf=0", "scd=0"]
    return ":".join(parameters)
