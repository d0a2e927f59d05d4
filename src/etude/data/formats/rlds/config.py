"""How an RLDS dataset is told from other folders, and what a user may say about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from etude.data.foreign.options import Options


@dataclass(frozen=True, kw_only=True)
class Config(Options):
    """RLDS dataset, written by TensorFlow Datasets as TFRecord files, such as those of Open X-Embodiment."""

    LOOKS_FOR: ClassVar[str] = "features.json of TensorFlow Datasets (RLDS)"

    split: str = "train"
    """Which of the dataset's splits to read."""

    @classmethod
    def tiny(cls) -> Config:
        """Give options that suit the smallest dataset."""
        return cls(fps=10)

    @classmethod
    def matches(cls, path: Path) -> bool:
        """Whether folder `path` holds such a dataset: the folder of one version, such as `bridge/0.1.0`."""
        return (path / "features.json").is_file() and next(path.glob("*.tfrecord-*"), None) is not None
