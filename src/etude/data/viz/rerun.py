"""An episode for the rerun viewer: videos, curves and the task, on one timeline."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import MissingExtra
from etude.core.frame import ACTION, STATE
from etude.data.dataset import Dataset
from etude.data.viz.clip import write_clip
from etude.data.viz.episode import Shown, names_of, shown

FRAME, TIME = "frame", "time"
"""The timelines: the number of the frame, and its time since the first [s]."""
Tell = Callable[[int, int], None]
"""Is told how many of how many cameras are done."""


def write_recording(dataset: Dataset, number: int, path: Path, tell: Tell = lambda *_: None) -> None:
    """Write the episode at position `number` as a recording, `.rrd`, that `rerun` opens."""
    rerun = _rerun()
    found = shown(dataset, number)
    recording = rerun.RecordingStream(_name(found))
    recording.save(path)
    _log(rerun, recording, found, tell)
    recording.flush()
    recording.disconnect()


def open_viewer(dataset: Dataset, number: int, tell: Tell = lambda *_: None) -> None:
    """Open the rerun viewer on this computer with the episode at position `number`."""
    rerun = _rerun()
    found = shown(dataset, number)
    recording = rerun.RecordingStream(_name(found))
    recording.spawn()
    _log(rerun, recording, found, tell)
    recording.flush()


def _rerun() -> Any:
    try:
        return importlib.import_module("rerun")
    except ModuleNotFoundError as error:
        raise MissingExtra("The rerun viewer", "viz") from error


def _name(found: Shown) -> str:
    return f"{found.dataset.root.name} episode {found.number}"


def _log(rerun: Any, recording: Any, found: Shown, tell: Tell) -> None:
    recording.log("task", rerun.TextDocument("\n".join(found.tasks)), static=True)
    _log_columns(rerun, recording, found)
    with tempfile.TemporaryDirectory(prefix="etude-viz-") as folder:
        for done, key in enumerate(found.dataset.codecs, 1):
            clip = Path(folder) / f"{done}.mp4"
            write_clip(found.dataset, key, found.number, clip)
            _log_video(rerun, recording, key, clip, found.dataset.fps)
            tell(done, len(found.dataset.codecs))


def _times(rerun: Any, count: int, fps: int) -> list[Any]:
    return [
        rerun.TimeColumn(FRAME, sequence=range(count)),
        rerun.TimeColumn(TIME, duration=np.arange(count) / fps),
    ]


def _log_columns(rerun: Any, recording: Any, found: Shown) -> None:
    """Log each key as one entity with as many curves as it has elements, and frames that came late."""
    dataset, rows = found.dataset, np.arange(found.episode.start, found.episode.stop)
    times = _times(rerun, len(rows), dataset.fps)
    for key in (key for key in dataset.specs if key not in dataset.codecs):
        values = np.asarray(dataset.take(key, rows), np.float64).reshape(len(rows), -1)
        entity = _entity(key)
        recording.log(entity, rerun.SeriesLines(names=names_of(dataset.specs[key], values.shape[1])), static=True)
        columns = rerun.Scalars.columns(scalars=values.reshape(-1)).partition([values.shape[1]] * len(rows))
        recording.send_columns(entity, times, columns)
    if found.late:
        is_late = np.isin(np.arange(len(rows)), found.late).astype(np.float64)
        recording.send_columns("late", times, rerun.Scalars.columns(scalars=is_late))


def _log_video(rerun: Any, recording: Any, key: str, clip: Path, fps: int) -> None:
    video = rerun.AssetVideo(path=clip)
    recording.log(_entity(key), video, static=True)
    shown_at = video.read_frame_timestamps_nanos()
    columns = rerun.VideoFrameReference.columns_nanos(shown_at)
    recording.send_columns(_entity(key), _times(rerun, len(shown_at), fps), columns)


def _entity(key: str) -> str:
    """Name a key's place in the viewer's tree."""
    known = {STATE: "state", ACTION: "action"}
    return known.get(key) or key.removeprefix("observation.").replace(".", "/")
