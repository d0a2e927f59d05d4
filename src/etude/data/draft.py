"""Episodes whose recording broke off: what a crash left of them can be kept or dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.codec import decode
from etude.core.errors import DatasetError, NotFound
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.data import recording
from etude.data.dataset import Dataset
from etude.data.depth import DepthCoding
from etude.data.episodes import Episodes
from etude.data.image_stats import measured, sampled_frames
from etude.data.lerobot.contents import Clips
from etude.data.lerobot.pictures import FilmedDepth, FilmedPictures
from etude.data.opening import open_dataset
from etude.data.recording import Take, row_type, timing_of, troubles_in, video_file
from etude.data.versions import workspace
from etude.data.video import OpenVideos
from etude.data.video.remux import remux
from etude.data.video.splice import Piece, splice

PREFIX = "draft-"
Features = Mapping[str, Mapping[str, Any]]
_AT_ONCE = 64
"""Pictures decoded together."""


@dataclass(frozen=True)
class Draft:
    """A recording that broke off, in a folder beside its dataset."""

    folder: Path

    @property
    def name(self) -> str:
        """What the user calls it by."""
        return self.folder.name.removeprefix(PREFIX)

    @property
    def started(self) -> str:
        """When its recording began, as an ISO date."""
        return self._about["started"]

    @property
    def fps(self) -> int:
        """Frames per second."""
        return self._about["fps"]

    @cached_property
    def specs(self) -> dict[str, Spec]:
        """What its frames look like."""
        return {key: decode(Spec, stored) for key, stored in self._about["specs"].items()}

    @cached_property
    def num_frames(self) -> int:
        """Frames that are whole: the row is there, and every camera's picture."""
        return min([len(self._rows), *(self._pictures(key) for key in self._cameras)])

    def check(self) -> None:
        """Raise `DatasetError` when there is nothing to keep."""
        if not self.num_frames:
            raise DatasetError(self.folder, "holds no whole frame. There is nothing to keep: drop it.")

    def take(self, features: Features) -> Take:
        """Make an episode of the whole frames; `features` describe the dataset that it is recorded for."""
        self.check()
        length = self.num_frames
        rows = self._rows[:length]
        columns = {key: rows[key].copy() for key in self.specs if key not in self._cameras}
        videos = {key: self._cut(key, length) for key in self._cameras}
        pictures = {key: self._measured(key, path, length, features) for key, path in videos.items()}
        stats = {key: Stats.of(values) for key, values in columns.items()} | pictures
        return Take(columns=columns, videos=videos, stats=stats, timing=timing_of(rows, troubles_in(self.folder)))

    def drop(self) -> None:
        """Delete it."""
        recording.delete(self.folder)

    def is_saved(self, dataset: Dataset) -> bool:
        """Whether it became an episode just before a crash kept it from being deleted."""
        path = self.folder / recording.SAVING
        if not path.exists():
            return False
        index = json.loads(path.read_text(encoding="utf-8"))["episode"]
        if index >= len(dataset.episodes) or len(dataset.episodes[index]) != len(self._rows):
            return False
        rows = slice(dataset.episodes[index].start, dataset.episodes[index].stop)
        vectors = [key for key in self.specs if key not in self._cameras and key in dataset.specs]
        return all(np.array_equal(dataset.column(key)[rows], self._rows[key]) for key in vectors)

    @cached_property
    def _about(self) -> dict:
        path = self.folder / recording.ABOUT
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DatasetError(path, f"cannot be read ({error}). Nothing can be saved of it: drop it.") from error

    @property
    def _cameras(self) -> list[str]:
        return [key for key, spec in self.specs.items() if len(spec.shape) == 3]

    @cached_property
    def _rows(self) -> np.ndarray:
        kind, path = row_type(self.specs, dict.fromkeys(self._cameras)), self.folder / recording.ROWS
        data = path.read_bytes() if path.exists() else b""
        return np.frombuffer(data[: len(data) // kind.itemsize * kind.itemsize], kind)

    def _pictures(self, key: str) -> int:
        """Count the pictures up to the last whole group, in a plain file that is made of them."""
        try:
            return remux(video_file(self.folder, key), self._plain(key))
        except DatasetError:
            return 0  # killed before the first pictures were written

    def _cut(self, key: str, length: int) -> Path:
        cut = self.folder / f"{key}.cut.mp4"
        splice([Piece(path=self._plain(key), start=0, length=length)], cut, self.fps)
        return cut

    def _plain(self, key: str) -> Path:
        return self.folder / f"{key}.plain.mp4"

    def _measured(self, key: str, path: Path, length: int, features: Features) -> Stats:
        zero, is_depth = np.zeros(1, np.int64), self.specs[key].is_depth
        clips = Clips(paths=[path], file=zero, start=zero, length=np.array([length]))
        filmed = clips, Episodes.in_a_row([length], lambda _: ()), OpenVideos()
        coding = DepthCoding.from_info(features[key].get("info") or {})
        camera = FilmedDepth(*filmed, coding) if is_depth else FilmedPictures(*filmed)
        height, width, _ = self.specs[key].shape
        rows = sampled_frames(length)
        parts = np.array_split(rows, -(-len(rows) // _AT_ONCE))
        return measured((each for part in parts for each in camera.read(part, (height, width))), is_depth=is_depth)


def drafts(root: Path) -> list[Draft]:
    """List the drafts beside dataset `root`, oldest first."""
    found = [Draft(path.parent) for path in workspace(root).glob(f"{PREFIX}*/{recording.ABOUT}")]
    if any((draft.folder / recording.SAVING).exists() for draft in found):
        dataset = open_dataset(root)
        found = [draft for draft in found if not draft.is_saved(dataset)]
    return sorted(found, key=lambda draft: draft.folder.stat().st_mtime)


def sweep(root: Path) -> None:
    """Delete what a crash left that holds no frame, or whose frames are in the dataset; nobody may be recording."""
    kept = {draft.folder for draft in drafts(root) if draft.num_frames}
    for folder in workspace(root).glob(f"{PREFIX}*"):
        if folder not in kept:
            recording.delete(folder)


def draft_called(root: Path, name: str) -> Draft:
    """Give the draft of that name; raise `NotFound`."""
    known = {draft.name: draft for draft in drafts(root)}
    if name not in known:
        raise NotFound("draft", name, known)
    return known[name]
