"""What is left of a LeRobot v3.0 dataset whose recording was killed: which episodes have their rows and their pictures.

Facts: LeRobot 0.4 and 0.6. An episode is saved in this order: its rows as one row group of the frame table, its
pictures at the end of each camera's last video, a row of the episodes table that stays in memory until there are ten,
`info.json`. Until its videos are encoded, its pictures are PNG files under `images/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etude.core.errors import DatasetError
from etude.data.formats.lerobot_v3.layout import path_of
from etude.data.formats.lerobot_v3.metadata import TASKS_FILE, read_tasks
from etude.data.formats.lerobot_v3.reader import episodes_files
from etude.data.lerobot import footer, schema, tables
from etude.data.lerobot.contents import Clip
from etude.data.lerobot.header import Header
from etude.data.lerobot.parquet_pages import has_footer
from etude.data.video.splice import film_of

_NEEDED = ["timestamp", "frame_index", "episode_index", "index", "task_index"]


@dataclass(frozen=True, kw_only=True)
class FrameTable:
    """One file of frames."""

    path: Path
    columns: pa.Table
    """All columns of a file without a footer, else those that every dataset has."""
    lost_bytes: int
    is_whole: bool

    def read(self, names: Sequence[str] | None = None) -> pa.Table:
        """Give columns, or all."""
        return (
            tables.read(self.path, names) if self.is_whole else self.columns.select(names or self.columns.schema.names)
        )


@dataclass(frozen=True, kw_only=True)
class Run:
    """The rows of one episode: rows `start` to `stop` of a file."""

    number: int
    """As it was recorded."""
    table: FrameTable
    start: int
    stop: int
    first_index: int

    def __len__(self) -> int:
        return self.stop - self.start


Stills = list[Path]
"""One PNG file per frame, not encoded yet."""
Shots = Clip | Stills


@dataclass(frozen=True, kw_only=True)
class Remains:
    """All that could be read."""

    root: Path
    header: Header
    tasks: list[str]
    tables: list[FrameTable]
    runs: list[Run]
    rows: Mapping[int, dict[str, Any]]
    """Rows of the episodes table, by episode."""
    shots: Mapping[str, list[Shots | str]]
    """Per camera and run: its pictures, or why there are none."""
    notes: list[str]
    """What was found damaged, in sentences."""


def survey(root: Path, header: Header) -> Remains:
    """Read what is left; raise `DatasetError` only when not even the folder can be read."""
    notes: list[str] = []
    frames = list(_frame_tables(root, header, notes))
    runs = [run for table in frames for run in _runs(table, notes)]
    rows = _rows(root, header, runs, notes)
    shots = {key: list(_shots(root, header, key, runs, rows)) for key in header.video_keys()}
    tasks = _tasks(root, notes)
    return Remains(root=root, header=header, tasks=tasks, tables=frames, runs=runs, rows=rows, shots=shots, notes=notes)


def frame_files(root: Path) -> list[Path]:
    """List the files of frames, in the order of their rows."""
    return sorted((root / "data").glob("chunk-*/file-*.parquet"))


def _frame_tables(root: Path, header: Header, notes: list[str]) -> Iterator[FrameTable]:
    files = frame_files(root)
    whole = [path for path in files if has_footer(path)]
    schemas = [pq.read_schema(path) for path in whole[:1]] + [schema.data_schema(header.features)]
    for path in files:
        try:
            columns = tables.read(path, _NEEDED) if path in whole else None
            rescued = None if columns else footer.rescue(path, schemas)
        except DatasetError as error:
            notes.append(f"{path.relative_to(root)} {error.problem}")
            continue
        if rescued:
            notes.append(_rescue_note(path.relative_to(root), rescued))
            columns = rescued.table
        lost = rescued.lost_bytes if rescued else 0
        yield FrameTable(path=path, columns=columns, lost_bytes=lost, is_whole=rescued is None)


def _rescue_note(path: Path, rescued: footer.Rescued) -> str:
    rest = f"; the {rescued.lost_bytes} bytes after them are not whole" if rescued.lost_bytes else ""
    return f"{path} had no footer, and {rescued.table.num_rows} rows of it were read{rest}."


def _runs(table: FrameTable, notes: list[str]) -> Iterator[Run]:
    """Find the episodes in a file's rows; rows that are no whole episode are left out and noted."""
    episode, tick, index = (table.columns[name].to_numpy() for name in ("episode_index", "frame_index", "index"))
    if not len(episode):
        return
    begins = np.flatnonzero((np.diff(episode, prepend=-1) != 0) | (tick == 0)).tolist()
    for start, stop in zip(begins, [*begins[1:], len(episode)], strict=True):
        here = np.arange(stop - start)
        if np.array_equal(tick[start:stop], here) and np.array_equal(index[start:stop], index[start] + here):
            number, first = int(episode[start]), int(index[start])
            yield Run(number=number, table=table, start=start, stop=stop, first_index=first)
        else:
            notes.append(f"Episode {episode[start]} was left out: its rows are not numbered one by one.")


def _rows(root: Path, header: Header, runs: list[Run], notes: list[str]) -> dict[int, dict[str, Any]]:
    """Read what is left of the episodes table; a row counts when it agrees with the frames."""
    found: dict[int, dict[str, Any]] = {}
    for path in episodes_files(root):
        try:
            rescued = footer.rescue(path, schema.episodes_schemas(header.features))
        except DatasetError as error:
            notes.append(f"{path.relative_to(root)} {error.problem}")
            continue
        found |= {row["episode_index"]: row for row in rescued.table.to_pylist()}
    agreed = {run.number: found[run.number] for run in runs if _agrees(run, found.get(run.number))}
    if len(agreed) < len(runs):
        lacking = len(runs) - len(agreed)
        notes.append(f"The episodes table lacked {lacking} of {len(runs)} episodes; they were found by their frames.")
    return agreed


def _agrees(run: Run, row: Mapping[str, Any] | None) -> bool:
    return row is not None and (row["length"], row["dataset_from_index"]) == (len(run), run.first_index)


def _tasks(root: Path, notes: list[str]) -> list[str]:
    try:
        return read_tasks(root)
    except DatasetError:
        pass
    rescued = footer.rescue(root / TASKS_FILE, schema.tasks_schemas())
    notes.append(f"{TASKS_FILE} had no footer, and {rescued.table.num_rows} tasks of it were read.")
    return rescued.table.sort_by("task_index")[1].to_pylist() if rescued.table.num_rows else []


def _shots(
    root: Path, header: Header, key: str, runs: list[Run], rows: Mapping[int, dict[str, Any]]
) -> Iterator[Shots | str]:
    """Find each episode's pictures of one camera, or say why they cannot be had."""
    reel = Reel(root, header, key)
    found = reel.tell_apart(runs, rows)
    doubtful = {each.clip.path for each in found if each.clip and not each.is_listed and reel.ends_within(each.clip)}
    for run, (clip, is_listed) in zip(runs, found, strict=True):
        is_doubtful = clip is not None and not is_listed and clip.path in doubtful
        if clip and not is_doubtful and clip.length == len(run) and reel.holds(clip):
            yield clip
        else:
            yield _stills(root, key, run) or _why_not(key, run, clip, is_doubtful)


def _why_not(key: str, run: Run, clip: Clip | None, is_doubtful: bool) -> str:
    if clip is None:
        return f"its pictures of {key} are in no video"
    if is_doubtful:
        return f"{key} has fewer pictures than rows from there on, so which are its own cannot be told"
    if clip.length != len(run):
        return f"{key} has {clip.length} pictures for its {len(run)} rows, as frames were dropped while recording"
    return f"its pictures of {key} are not all in {clip.path.name}"


def _stills(root: Path, key: str, run: Run) -> Stills | None:
    folder = root / "images" / key / f"episode-{run.number:06d}"
    stills = [folder / f"frame-{tick:06d}.png" for tick in range(len(run))]
    return stills if len(list(folder.glob("frame-*.png"))) == len(run) and all(map(Path.exists, stills)) else None


class _Found(NamedTuple):
    clip: Clip | None
    is_listed: bool


class Reel:
    """One camera's video files, one after the other."""

    def __init__(self, root: Path, header: Header, key: str) -> None:
        self._root, self._header, self._key = root, header, key
        self._files = sorted((root / "videos" / key).glob("chunk-*/file-*.mp4"))
        self._frames = {path: whole_frames(path) for path in self._files}
        self._file, self._next = 0, 0

    def tell_apart(self, runs: list[Run], rows: Mapping[int, dict[str, Any]]) -> list[_Found]:
        """Find each episode's clip: by the episodes table, or by counting on from the episode before."""
        found: list[_Found] = []
        due: int | None = 0
        for run in runs:
            listed = self._listed(rows.get(run.number, {}))
            clip = listed or (self._following(len(run)) if run.number == due else None)
            if clip and clip.path in self._frames:
                self._file, self._next = self._files.index(clip.path), clip.start + clip.length
            due = run.number + 1 if listed or run.number == due else None
            found.append(_Found(clip, listed is not None))
        return found

    def holds(self, clip: Clip) -> bool:
        """Whether all pictures of a clip are in its file."""
        return clip.start + clip.length <= self._frames.get(clip.path, 0)

    def ends_within(self, clip: Clip) -> bool:
        """Whether a file that is whole ends in the middle of a clip, as it does when frames were dropped."""
        frames = self._frames[clip.path]
        return clip.start < frames < clip.start + clip.length and frames == film_of(clip.path).num_frames

    def _listed(self, row: Mapping[str, Any]) -> Clip | None:
        chunk, file, begin, end = (
            row.get(f"videos/{self._key}/{name}")
            for name in ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
        )
        if chunk is None or file is None or begin is None or end is None:
            return None
        path = self._root / path_of(self._header.video_path or "", (int(chunk), int(file)), self._key)
        fps = self._header.fps
        return Clip(path=path, start=round(begin * fps), length=round((end - begin) * fps))

    def _following(self, length: int) -> Clip | None:
        if self._file < len(self._files) and self._next == self._frames[self._files[self._file]]:
            self._file, self._next = self._file + 1, 0
        if self._file >= len(self._files):
            return None
        return Clip(path=self._files[self._file], start=self._next, length=length)


def whole_frames(path: Path) -> int:
    """Count the pictures at the front of a video file of which every byte is there."""
    try:
        film = film_of(path)
    except DatasetError:
        return 0
    is_torn = film.place + film.size > path.stat().st_size
    return int(is_torn.argmax()) if is_torn.any() else film.num_frames
