"""Whether a LeRobot dataset's files hold what its header and its episodes promise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from etude.core.errors import DatasetError
from etude.data.dataset import Problem
from etude.data.episodes import Episodes
from etude.data.formats.lerobot_v3.metadata import TASKS_FILE
from etude.data.lerobot import tables
from etude.data.lerobot.contents import Clips, Contents
from etude.data.lerobot.header import FILE, Header
from etude.data.lerobot.timing import timing_file
from etude.data.remedy import Remedy, ranges
from etude.data.sketches import read_sketches, sketches_file
from etude.data.timing import TOLERANCE_S
from etude.data.video.clock import shown_at

_MOST = 10
"""Episodes that are named one by one with the same fault."""


def file_problems(root: Path, kind: str, header: Header, contents: Contents) -> Iterator[Problem]:
    """Yield what does not hold: counters, splits, columns, clips, videos, and what lies beside the tables."""
    check = _FileCheck(root, header, contents, Remedy(root, kind, len(contents.episodes)))
    yield from check.counters()
    yield from check.splits()
    yield from check.tables()
    for key, clips in contents.clips.items():
        yield from check.lengths(key, clips)
        yield from check.overlaps(key, clips)
        yield from check.videos(clips)
    yield from check.beside()


def stray_notes(root: Path, contents: Contents) -> Iterator[str]:
    """Tell of tables that no episode is in; a crash in the middle of a commit leaves such."""
    known = set(contents.tables)
    for path in sorted((root / "data").glob("*/*.parquet")):
        if path not in known:
            yield (
                f"{path.relative_to(root)} belongs to no episode: a recording broke off before it was committed. "
                "The next episode takes its place."
            )


@dataclass(frozen=True)
class _FileCheck:
    root: Path
    header: Header
    contents: Contents
    remedy: Remedy

    @property
    def episodes(self) -> Episodes:
        return self.contents.episodes

    def counters(self) -> Iterator[Problem]:
        header = self.header
        counted = {
            "total_episodes": (header.total_episodes, len(self.episodes)),
            "total_frames": (header.total_frames, self.episodes.num_frames),
            "total_tasks": (header.total_tasks, len(self.contents.tasks)),
        }
        lost = self.root / TASKS_FILE if self.header.version.startswith("v3.") and not self.contents.tasks else None
        if lost is not None and self.header.total_tasks:
            yield Problem(what="is missing or empty", where=str(lost), remedy=self.remedy.recover())
            counted.pop("total_tasks")
        for name, (promised, found) in counted.items():
            if promised != found:
                yield Problem(
                    what=f"{name} is {promised}, but there are {found}",
                    where=str(FILE),
                    remedy=f"Set {name} to {found} there if nothing is missing; else copy the dataset again.",
                )

    def splits(self) -> Iterator[Problem]:
        stored = json.loads((self.root / FILE).read_text(encoding="utf-8")).get("splits") or {}
        count = len(self.episodes)
        for name, span in stored.items():
            begin, colon, end = str(span).partition(":")
            is_sound = colon and begin.isdecimal() and end.isdecimal() and int(begin) <= int(end) <= count
            if not is_sound:
                yield Problem(
                    what=f"the split '{name}' is {span}, but there are {count} episodes",
                    where=str(FILE),
                    remedy=f'Write "0:{count}" there, or the range of episodes that it stands for.',
                )

    def tables(self) -> Iterator[Problem]:
        """Look at what the tables are called and which columns they have."""
        paths = list(self.contents.tables)
        for path, following in pairwise(paths):
            if following < path:
                yield Problem(
                    what=f"comes before {path.name} by name, but its rows come after",
                    where=str(following.relative_to(self.root)),
                    remedy="LeRobot reads tables in the order of their names: copy the dataset again.",
                )
        declared = {key for key, feature in self.header.features.items() if feature["dtype"] != "video"}
        for position, path in enumerate(paths):
            try:
                with tables.opened(path) as file:
                    extra = [name for name in file.schema_arrow.names if name not in declared]
            except DatasetError as error:
                yield _unreadable(error, self.remedy.leave_out(np.flatnonzero(self.contents.table == position)))
                continue
            if extra:
                yield Problem(
                    what=f"has the column {', '.join(extra)}, which {FILE} does not declare",
                    where=str(path.relative_to(self.root)),
                    remedy=f"LeRobot refuses it: add it to 'features' in {FILE}, or copy the dataset again.",
                )

    def lengths(self, key: str, clips: Clips) -> Iterator[Problem]:
        wrong = np.flatnonzero(clips.length != self.episodes.length)
        for number in wrong[:_MOST].tolist():
            rows = self.episodes.length[number]
            yield Problem(
                what=f"the video of {key} lasts {clips.length[number]} frames, the table {rows} rows",
                where=f"episode {number}",
                remedy=f"Frames were dropped while recording. {self.remedy.leave_out([number])}",
            )
        if len(wrong) > _MOST:
            yield Problem(
                what=f"{len(wrong) - _MOST} more episodes have another number of frames in {key} than rows",
                where=f"episodes {ranges(wrong[_MOST:].tolist())}",
                remedy=f"Frames were dropped while recording. {self.remedy.leave_out(wrong.tolist())}",
            )

    def overlaps(self, key: str, clips: Clips) -> Iterator[Problem]:
        """Compare the clips of each file with one another."""
        order = np.lexsort((clips.start, clips.file))
        file, start = clips.file[order], clips.start[order]
        stop = start + clips.length[order]
        for at in np.flatnonzero((np.diff(file) == 0) & (start[1:] < stop[:-1])).tolist():
            first, second = sorted(order[at : at + 2].tolist())
            yield Problem(
                what=f"its clip of {key} overlaps with that of episode {first}",
                where=f"episode {second}",
                remedy=self.remedy.leave_out([second]),
            )

    def videos(self, clips: Clips) -> Iterator[Problem]:
        """Count the pictures of each file, and see when they are shown."""
        for position, path in enumerate(clips.paths):
            numbers = np.flatnonzero(clips.file == position).tolist()
            try:
                times = shown_at(path)
            except DatasetError as error:
                yield _unreadable(error, self.remedy.leave_out(numbers))
                continue
            wanted = int(clips.length[numbers].sum())
            if len(times) != wanted:
                what = f"holds {len(times)} frames, its episodes {wanted} rows"
                yield Problem(what=what, where=str(path), remedy=self.remedy.leave_out(numbers))
            off = np.abs(times - np.arange(len(times)) / self.header.fps)
            if len(off) and off.max() > TOLERANCE_S:
                frame = int((off > TOLERANCE_S).argmax())
                yield Problem(
                    what=f"shows frame {frame} {off[frame] * 1000:.1f} ms away from its time; LeRobot refuses that",
                    where=str(path),
                    remedy=self.remedy.encode(),
                )

    def beside(self) -> Iterator[Problem]:
        """Compare what Etude notes beside each table with the table."""
        for position, path in enumerate(self.contents.tables):
            numbers = np.flatnonzero(self.contents.table == position)
            timing, sketches = timing_file(self.root, path), sketches_file(self.root, path)
            rows = int(self.episodes.length[numbers].sum())
            if timing.exists() and (found := _num_rows(timing)) != rows:
                yield Problem(
                    what=f"notes the times of {found} frames, its table has {rows} rows",
                    where=str(timing.relative_to(self.root)),
                    remedy="The times are lost: delete the file.",
                )
            if sketches.exists():
                yield from self._sketched(sketches, set(numbers.tolist()))

    def _sketched(self, path: Path, wanted: set[int]) -> Iterator[Problem]:
        try:
            found = set(read_sketches([path]))
        except DatasetError as error:
            yield _unreadable(error, self.remedy.measure())
            return
        if not found <= wanted:
            yield Problem(
                what=f"holds sketches of episode {ranges(sorted(found - wanted))}, which is not in its table",
                where=str(path.relative_to(self.root)),
                remedy=self.remedy.measure(),
            )


def _unreadable(error: DatasetError, remedy: str) -> Problem:
    return Problem(what=error.problem.partition(". ")[0].rstrip("."), where=str(error.path), remedy=remedy)


def _num_rows(path: Path) -> int:
    try:
        return tables.num_rows(path)
    except DatasetError:
        return -1
