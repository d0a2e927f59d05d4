"""`meta/info.json`: what a LeRobot dataset says about itself. Facts: LeRobot 0.6.2, dataset format v3.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from etude.core.errors import DatasetError
from etude.core.files import read_json
from etude.core.spec import Spec

FILE = Path("meta/info.json")

DEFAULT_FEATURES: dict[str, dict[str, Any]] = {
    "timestamp": {"dtype": "float32", "shape": [1], "names": None},
    "frame_index": {"dtype": "int64", "shape": [1], "names": None},
    "episode_index": {"dtype": "int64", "shape": [1], "names": None},
    "index": {"dtype": "int64", "shape": [1], "names": None},
    "task_index": {"dtype": "int64", "shape": [1], "names": None},
}
"""Columns that every dataset has, always last and in this order."""

_TEXT = ("string", "language")
_CODED = "gray12le"
"""The layout of depth pictures that hold 12-bit codes."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """The contents of `meta/info.json` that reading and writing need."""

    version: str
    fps: int
    features: Mapping[str, Mapping[str, Any]]
    total_episodes: int = 0
    total_frames: int = 0
    total_tasks: int = 0
    data_path: str
    video_path: str | None = None
    robot_type: str | None = None
    chunks_size: int = 1000
    sizes_in_mb: Mapping[str, int] = field(default_factory=dict)
    """Most megabytes of one `data` and one `video` file; since v3.0."""

    def specs(self) -> dict[str, Spec]:
        """Give the spec of each numeric column and camera; text and the default columns have none."""
        return {
            key: spec_of(feature)
            for key, feature in self.features.items()
            if key not in DEFAULT_FEATURES and feature["dtype"] not in _TEXT and is_readable(feature)
        }

    def cameras(self, dtype: str) -> list[str]:
        """List the cameras stored as `dtype`, which is `video` or `image`."""
        return [key for key, feature in self.features.items() if feature["dtype"] == dtype and is_readable(feature)]

    def video_keys(self) -> list[str]:
        """List the cameras with video files, those that cannot be read among them."""
        return [key for key, feature in self.features.items() if feature["dtype"] == "video"]

    def texts(self) -> list[str]:
        """List the columns of strings and of messages, in the file's order."""
        return [key for key, feature in self.features.items() if feature["dtype"] in _TEXT]

    def columns(self) -> list[str]:
        """List the numeric table columns, in the file's order."""
        without = (*_TEXT, "video", "image")
        return [key for key, feature in self.features.items() if feature["dtype"] not in without]


def version_of(root: Path) -> str | None:
    """Tell the `codebase_version` of the dataset in `root`; none when `root` holds no LeRobot dataset."""
    path = root / FILE
    return str(read_json(path, DatasetError).get("codebase_version", "")) if path.is_file() else None


def read(root: Path) -> Header:
    """Read the header; raise `DatasetError` naming what is missing."""
    path = root / FILE
    stored = read_json(path, DatasetError)
    try:
        _check_paths(path, stored)
        return Header(
            version=stored["codebase_version"],
            fps=round(stored["fps"]),
            features=stored["features"],
            total_episodes=stored["total_episodes"],
            total_frames=stored["total_frames"],
            total_tasks=stored["total_tasks"],
            data_path=stored["data_path"],
            video_path=stored.get("video_path"),
            robot_type=stored.get("robot_type"),
            chunks_size=stored.get("chunks_size", 1000),
            sizes_in_mb={kind: stored.get(f"{kind}_files_size_in_mb", 0) for kind in ("data", "video")},
        )
    except KeyError as error:
        raise DatasetError(path, f"lacks {error}, which every LeRobot dataset has. Restore the file.") from error


def _check_paths(path: Path, stored: Mapping[str, Any]) -> None:
    """Raise `DatasetError` when the header, which may come from anywhere, names files outside the dataset."""
    cameras = [key for key, feature in stored["features"].items() if feature["dtype"] == "video"]
    for name in map(str, [stored["data_path"], stored.get("video_path") or "", *cameras]):
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or "\\" in name or name[1:2] == ":":
            raise DatasetError(path, f"names files outside the dataset: {name!r}. Do not trust it.")


def spec_of(feature: Mapping[str, Any]) -> Spec:
    """Turn a feature entry into a spec; pictures are uint8 (height, width, channels) whatever they are stored as."""
    shape = tuple(feature["shape"])
    if feature["dtype"] == "video" and is_depth(feature):
        return Spec(shape=shape, dtype="uint16", unit="mm")
    if feature["dtype"] in ("video", "image"):
        is_channel_first = str((feature.get("names") or [""])[0]).startswith("channel")
        return Spec(shape=(*shape[1:], shape[0]) if is_channel_first else shape, dtype="uint8")
    return Spec(shape=shape, dtype=feature["dtype"], names=tuple(_flat(feature.get("names"))))


def is_readable(feature: Mapping[str, Any]) -> bool:
    """Whether the values mean something to a reader: all but depth that is not stored as 12-bit codes."""
    return not is_depth(feature) or (feature.get("info") or {}).get("video.pix_fmt") == _CODED


def is_depth(feature: Mapping[str, Any]) -> bool:
    """Whether a camera measures depth; the flag has had three places."""
    info, old = feature.get("info") or {}, feature.get("video_info") or {}
    flags = (info.get("is_depth_map"), info.get("video.is_depth_map"), old.get("video.is_depth_map"))
    return bool(next((flag for flag in flags if flag is not None), False))


def codec_of(feature: Mapping[str, Any]) -> str:
    """Tell how a camera's pictures are compressed, such as `av1`; `png` inside tables."""
    if feature["dtype"] == "image":
        return "png"
    return (feature.get("info") or feature.get("video_info") or {}).get("video.codec", "unknown")


def _flat(names: Any) -> list[str]:
    """Concatenate names, which old datasets nest in lists and objects."""
    if names is None:
        return []
    if isinstance(names, str):
        return [names]
    return list(chain.from_iterable(_flat(item) for item in (names.values() if isinstance(names, Mapping) else names)))
