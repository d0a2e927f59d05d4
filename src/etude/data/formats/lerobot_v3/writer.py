"""Records LeRobot v3.0 datasets; every saved episode is on disk, whole, before `save_episode` returns.

Each episode gets files of its own, written beside their places and renamed; `meta/info.json` comes last and commits it.
A crash before that leaves files that no reader looks at and that the next episode overwrites.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core import frame as frames
from etude.core.errors import DatasetError, UserError
from etude.core.files import atomic
from etude.core.frame import Frame
from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.data.camera_recorder import CameraRecorder
from etude.data.dataset import Timing
from etude.data.formats.lerobot_v3 import layout, metadata, reader
from etude.data.formats.lerobot_v3.config import Config
from etude.data.formats.lerobot_v3.layout import Place, after, path_of
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.header import Header
from etude.data.lerobot.stats_file import read_stats, write_stats
from etude.data.recording import OpenEpisode, Take
from etude.data.video import VideoWriter


def create(config: Config, root: Path, specs: Specs, fps: int, robot_type: str | None) -> Writer:
    """Start an empty dataset in `root`."""
    header = layout.new_header(config, specs, fps, robot_type)
    with _writing(root):
        layout.write_header(root, header)
    return Writer(config, root, header)


def resume(config: Config, root: Path, specs: Specs, fps: int, robot_type: str | None) -> Writer:
    """Go on with the dataset in `root`, whoever wrote it; raise `UserError` when the new frames would not fit."""
    header = headers.read(root)
    _require_same("fps", header.fps, fps)
    _require_same("robot_type", header.robot_type, robot_type)
    _require_same("keys", _described(header.specs()), _described(specs))
    with _writing(root):
        _forget_uncommitted(root, header)
    return Writer(config, root, header)


class Writer:
    """Records episodes into a LeRobot v3.0 dataset."""

    def __init__(self, config: Config, root: Path, header: Header) -> None:
        self.root, self._config, self._header = root, config, header
        self._specs = header.specs()
        self._cameras = header.cameras("video")
        self._tasks = metadata.read_tasks(root)[: header.total_tasks]
        self._stats = reader.committed_stats(root, header) or read_stats(root)
        self._rows: list[pa.Table] = []
        self._places = _next_places(root, header, self._cameras)
        self._episode: OpenEpisode | None = None
        shutil.rmtree(root / layout.STAGING, ignore_errors=True)

    @property
    def num_episodes(self) -> int:
        """Episodes that are safe on disk."""
        return self._header.total_episodes

    def add_frame(self, frame: Frame, timing: Timing | None = None) -> None:
        """Append one frame to the open episode; raise `SpecMismatch` when it does not fit."""
        del timing
        frames.check(self._specs, frame)
        if self._episode is None:
            self._episode = self._begin()
        self._episode.add(frame)

    def save_episode(self, task: str) -> None:
        """Commit the open episode; when this fails, those saved before are untouched."""
        if self._episode is None:
            raise UserError("There is no frame to save: the episode is empty. Record at least one frame.")
        episode, self._episode = self._episode, None
        try:
            self._commit(episode.finish(), task)
        finally:
            episode.discard()

    def discard_episode(self) -> None:
        """Forget the open episode."""
        if self._episode:
            self._episode.discard()
        self._episode = None

    def close(self) -> None:
        """Discard the open episode and leave nothing temporary behind."""
        self.discard_episode()
        shutil.rmtree(self.root / layout.STAGING, ignore_errors=True)

    def _begin(self) -> OpenEpisode:
        staging = self.root / layout.STAGING
        staging.mkdir(parents=True, exist_ok=True)
        videos = {key: staging / f"{key}.mp4" for key in self._cameras}
        return OpenEpisode(self._specs, {key: self._recorder(path) for key, path in videos.items()}, videos)

    def _recorder(self, path: Path) -> CameraRecorder:
        config = self._config
        video = VideoWriter(
            path, self._header.fps, vcodec=config.vcodec, crf=config.crf, g=config.g, preset=config.preset
        )
        return CameraRecorder(video, config.queue_size)

    def _commit(self, take: Take, task: str) -> None:
        old = self._header
        tasks = self._tasks if task in self._tasks else [*self._tasks, task]
        columns = take.columns | _default_columns(old, len(take), tasks.index(task))
        stats = take.stats | {key: Stats.of(values) for key, values in _measured(columns, old.fps).items()}
        header = replace(
            old,
            total_episodes=old.total_episodes + 1,
            total_frames=old.total_frames + len(take),
            total_tasks=len(tasks),
        )
        rows = [*self._rows, self._row(take, task, stats)]
        merged = _merged(self._stats, stats) if old.total_episodes else stats
        with _writing(self.root):
            self._place(take, columns)
            tables.write(self.root / path_of(layout.EPISODES_PATH, self._places["episodes"]), pa.concat_tables(rows))
            tables.write(self.root / metadata.TASKS_FILE, metadata.tasks_table(tasks))
            write_stats(self.root, merged)
            layout.write_header(self.root, header)
        self._header, self._tasks, self._stats, self._rows = header, tasks, merged, rows
        self._places |= {name: after([self._places[name]], header.chunks_size) for name in ("data", *self._cameras)}

    def _place(self, take: Take, columns: Mapping[str, np.ndarray]) -> None:
        table = metadata.data_table(self._header.features, columns)
        tables.write(self.root / path_of(self._header.data_path, self._places["data"]), table)
        for key, staged in take.videos.items():
            with atomic(self.root / path_of(self._header.video_path or "", self._places[key], key)) as draft:
                staged.replace(draft)

    def _row(self, take: Take, task: str, stats: Mapping[str, Stats]) -> pa.Table:
        header, (chunk, file) = self._header, self._places["data"]
        facts: dict[str, Any] = {
            "episode_index": header.total_episodes,
            "tasks": [task],
            "length": len(take),
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": header.total_frames,
            "dataset_to_index": header.total_frames + len(take),
        }
        for key in self._cameras:
            chunk, file = self._places[key]
            clip = {"chunk_index": chunk, "file_index": file, "from_timestamp": 0.0}
            clip["to_timestamp"] = len(take) / header.fps
            facts |= {f"videos/{key}/{name}": value for name, value in clip.items()}
        return metadata.episode_row(facts, stats, header.features, self._places["episodes"])


def _merged(old: Mapping[str, Stats], new: Mapping[str, Stats]) -> dict[str, Stats]:
    """Merge what both have; what was never measured before cannot be known for the whole."""
    return {key: Stats.merge([old[key], part]) for key, part in new.items() if key in old}


def _default_columns(header: Header, num_frames: int, task_index: int) -> dict[str, np.ndarray]:
    tick = np.arange(num_frames)
    return {
        "timestamp": (tick / header.fps).astype(np.float32),
        "frame_index": tick,
        "episode_index": np.full(num_frames, header.total_episodes),
        "index": header.total_frames + tick,
        "task_index": np.full(num_frames, task_index),
    }


def _measured(columns: Mapping[str, np.ndarray], fps: int) -> dict[str, np.ndarray]:
    """Give the default columns as they are measured: (frames, 1), time before it is rounded to float32."""
    exact = {key: columns[key] for key in headers.DEFAULT_FEATURES} | {"timestamp": columns["frame_index"] / fps}
    return {key: values[:, None] for key, values in exact.items()}


def _next_places(root: Path, header: Header, cameras: list[str]) -> dict[str, Place]:
    """Find the first free file of every kind; what a crash left beyond the committed episodes counts as free."""
    table = reader.episodes_table(root, header)

    def following(prefix: str) -> Place:
        columns = (table[f"{prefix}/{name}"].to_pylist() for name in ("chunk_index", "file_index"))
        return after(zip(*columns, strict=True), header.chunks_size)

    used = [(int(path.parent.name[6:]), int(path.stem[5:])) for path in reader.episodes_files(root)]
    places = {"data": following("data"), "episodes": after(used, header.chunks_size)}
    return places | {key: following(f"videos/{key}") for key in cameras}


def _forget_uncommitted(root: Path, header: Header) -> None:
    """Cut rows that a crash left in the episodes table before they were committed."""
    for path in reader.episodes_files(root):
        table = tables.read(path)
        kept = table.filter(pa.array(table["episode_index"].to_numpy() < header.total_episodes))
        if not len(kept):
            path.unlink()
        elif len(kept) < len(table):
            tables.write(path, kept)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise DatasetError(
            root, f"cannot be written ({reason}). Episodes saved before are safe: make room, then resume."
        ) from error


def _require_same(what: str, there: Any, wanted: Any) -> None:
    if there != wanted:
        raise UserError(f"The dataset's {what} should stay {there}, got {wanted}. Record into a new folder instead.")


def _described(specs: Specs) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Give what a LeRobot dataset can tell of specs; units and the names of a picture's axes are not among it."""
    return {key: (str(spec), _names(spec)) for key, spec in specs.items()}


def _names(spec: Spec) -> tuple[str, ...]:
    return () if spec.is_image else spec.names
