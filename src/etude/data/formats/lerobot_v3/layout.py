"""Where the files of a LeRobot v3.0 dataset lie, and what `meta/info.json` says. Facts: LeRobot 0.6.2."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from etude.core.errors import UserError
from etude.core.files import write_json
from etude.core.spec import Spec, Specs
from etude.data.depth import DepthCoding
from etude.data.formats.lerobot_v3.config import Config
from etude.data.lerobot.header import DEFAULT_FEATURES, FILE, Header, is_depth
from etude.data.video import encoders
from etude.data.video.scale import DEPTH_FORMAT

DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_FOLDER = Path("meta/episodes")
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
STAGING = Path(".recording")
"""Where the open episode's videos grow; whatever is left there by a crash belongs to no episode."""

Place = tuple[int, int]
"""Chunk and file index."""


def after(places: Iterable[Place], chunks_size: int) -> Place:
    """Give the place that follows the last of `places`: the next file, or the first of the next chunk."""
    chunk, file = max(places, default=(0, -1))
    return (chunk, file + 1) if file + 1 < chunks_size else (chunk + 1, 0)


def place_of(path: Path) -> Place:
    """Read the place that the path of a file tells."""
    return int(path.parent.name.removeprefix("chunk-")), int(path.stem.removeprefix("file-"))


def path_of(template: str, place: Place, key: str = "") -> str:
    """Fill in a path template."""
    return template.format(chunk_index=place[0], file_index=place[1], video_key=key)


def new_header(config: Config, specs: Specs, fps: int, robot_type: str | None) -> Header:
    """Describe an empty dataset; raise `UserError` when LeRobot's format cannot hold one of the `specs`."""
    features = {key: _feature(config, key, spec, fps) for key, spec in specs.items()}
    return Header(
        version="v3.0",
        fps=fps,
        features=features | DEFAULT_FEATURES,
        data_path=DATA_PATH,
        video_path=VIDEO_PATH if any(spec.is_image or spec.is_depth for spec in specs.values()) else None,
        robot_type=robot_type,
        sizes_in_mb={"data": config.data_files_size_in_mb, "video": config.video_files_size_in_mb},
    )


def coded_like(config: Config, header: Header) -> Config:
    """Give the options with which more episodes are coded like those that a dataset has."""
    cameras = (header.features[key] for key in header.cameras("video"))
    info = next((each.get("info") or {} for each in cameras if not is_depth(each)), {})
    vcodec = {"av1": "libsvtav1", "h264": "h264", "hevc": "hevc"}.get(info.get("video.codec", ""))
    if vcodec is None:
        return config
    settings = ((name, info.get(f"video.{name}")) for name in ("crf", "g", "preset"))
    stated = {name: value for name, value in settings if value is not None}
    return replace(config, vcodec=vcodec, **({"preset": None} | stated))


def write_header(root: Path, header: Header) -> None:
    """Write `meta/info.json`, its keys in LeRobot's order. This is what commits an episode."""
    stored = {
        "codebase_version": header.version,
        "fps": header.fps,
        "features": header.features,
        "total_episodes": header.total_episodes,
        "total_frames": header.total_frames,
        "total_tasks": header.total_tasks,
        "chunks_size": header.chunks_size,
        "data_files_size_in_mb": header.sizes_in_mb["data"],
        "video_files_size_in_mb": header.sizes_in_mb["video"],
        "data_path": header.data_path,
        "video_path": header.video_path,
        "robot_type": header.robot_type,
        "splits": {"train": f"0:{header.total_episodes}"} if header.total_episodes else {},
    }
    write_json(root / FILE, stored, indent=4)


def _feature(config: Config, key: str, spec: Spec, fps: int) -> dict[str, Any]:
    if "/" in key or key in DEFAULT_FEATURES:
        raise UserError(
            f"'{key}' cannot be a key of a LeRobot dataset: it has a '/', or is the name of its own column."
        )
    if spec.is_image and spec.shape[2] == 3:
        names = ["height", "width", "channels"]
        return {"dtype": "video", "shape": list(spec.shape), "names": names, "info": _video_info(config, spec, fps)}
    if spec.is_depth:
        names = ["height", "width", "channels"]
        return {"dtype": "video", "shape": list(spec.shape), "names": names, "info": _depth_info(config, spec, fps)}
    if len(spec.shape) != 1:
        held = "vectors, RGB pictures (uint8) and depth pictures (uint16, one channel)"
        raise UserError(f"'{key}' is {spec}; a LeRobot dataset holds {held}. Reshape or omit it.")
    return {"dtype": spec.dtype, "shape": list(spec.shape), "names": list(spec.names) or None}


def _video_info(config: Config, spec: Spec, fps: int) -> dict[str, Any]:
    return {
        "is_depth_map": False,
        "video.height": spec.shape[0],
        "video.width": spec.shape[1],
        "video.codec": encoders.stream_name(config.vcodec),
        "video.pix_fmt": "yuv420p",
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
        "video.g": config.g,
        "video.crf": config.crf,
        "video.preset": encoders.preset_of(config.vcodec, config.preset),
        "video.fast_decode": 0,
        "video.video_backend": "pyav",
        "video.extra_options": {},
    }


def _depth_info(config: Config, spec: Spec, fps: int) -> dict[str, Any]:
    coded = {
        "is_depth_map": True,
        "depth_unit": "mm",
        "video.codec": "hevc",
        "video.pix_fmt": DEPTH_FORMAT,
        "video.channels": 1,
        "video.preset": encoders.DEPTH_PRESET,
        "video.extra_options": encoders.DEPTH_PARAMETERS,
    }
    return _video_info(config, spec, fps) | coded | DepthCoding().to_info()
