"""How LeRobot v3.0 datasets are written, and how one is told from other folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from etude.core.errors import ConfigError
from etude.data.lerobot.header import version_of

Vcodec = Literal[
    "libsvtav1",
    "h264",
    "hevc",
    "libaom-av1",
    "auto",
    "h264_nvenc",
    "hevc_nvenc",
    "h264_vaapi",
    "h264_qsv",
    "h264_videotoolbox",
    "hevc_videotoolbox",
]


@dataclass(frozen=True, kw_only=True)
class Config:
    """LeRobot dataset, format v3.0. The defaults are LeRobot's own."""

    LOOKS_FOR: ClassVar[str] = "meta/info.json of LeRobot v3"

    vcodec: Vcodec = "libsvtav1"
    """Video encoder; `auto` is the first hardware encoder that works here, else libsvtav1."""
    crf: int = 30
    """Quality: 0 is best, 63 (51 for h264 and hevc) smallest."""
    g: int = 2
    """Frames per key frame; few make random access fast."""
    preset: int | str | None = None
    """Effort of the encoder, by its own names: libsvtav1 0 (slowest) to 13, h264 and hevc ultrafast to veryslow."""
    data_files_size_in_mb: int = 100
    """Most megabytes of one table file."""
    video_files_size_in_mb: int = 200
    """Most megabytes of one video file."""
    queue_size: int = 30
    """Pictures that may wait for a camera's encoder before recording waits."""
    compact: bool = True
    """Whether the small files of single episodes are regrouped into large ones, now and then and at the end."""

    def __post_init__(self) -> None:
        limits = {"g": 1, "data_files_size_in_mb": 1, "video_files_size_in_mb": 1, "queue_size": 1, "crf": 0}
        for name, least in limits.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} should be at least {least}, got {getattr(self, name)}.")

    @classmethod
    def swift(cls) -> Config:
        """Give the options that encode small pictures at a sixth of the time, as good as the defaults (PSNR 40.5 dB).

        Their files are a quarter larger. Made for simulation, where encoding would be the largest part of the work.
        """
        return cls(vcodec="h264", crf=20, preset="ultrafast")

    @classmethod
    def tiny(cls) -> Config:
        """Give the options that encode fastest and leave each episode in files of its own; every test uses them."""
        return cls(preset=13, queue_size=2, compact=False)

    @classmethod
    def matches(cls, path: Path) -> bool:
        """Whether folder `path` holds such a dataset."""
        return (version_of(path) or "").startswith("v3.")
