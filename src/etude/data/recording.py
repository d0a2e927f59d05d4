"""One episode while it is recorded: each frame is on disk before the next one comes, and statistics grow on the way."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from etude.core.codec import encode
from etude.core.errors import DatasetError
from etude.core.files import write_json
from etude.core.frame import Frame
from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.data.camera_recorder import CameraRecorder
from etude.data.timing import IS_LATE, TIME, TROUBLE, Timing
from etude.data.video.remux import remux

ABOUT, ROWS, SAVING, TROUBLES = "episode.json", "rows.bin", "saving.json", "trouble.jsonl"
TIMING = "timing/"
"""Prefix of the columns of a draft's rows that tell of time, not of the robot."""


@dataclass(frozen=True, kw_only=True)
class Take:
    """A finished episode that is not part of a dataset yet."""

    columns: dict[str, np.ndarray]
    """Per vector key, (frames, n)."""
    videos: dict[str, Path]
    """Per camera, a file of its own."""
    stats: dict[str, Stats]
    timing: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    """When each frame was really captured: `time_s`, `is_late`, per camera its own time, and `trouble`, (frames,)."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True, kw_only=True)
class Finished:
    """An episode that is whole, in a draft that is not part of the dataset yet."""

    folder: Path
    """The draft's."""
    take: Take


def row_type(specs: Specs, cameras: Mapping[str, object]) -> np.dtype:
    """Lay out one frame's vectors and times as a record of fixed size."""
    vectors = [(key, spec.dtype, spec.shape) for key, spec in specs.items() if key not in cameras]
    times = [(TIMING + name, "float64") for name in (TIME, *cameras)]
    return np.dtype([*vectors, *times, (TIMING + IS_LATE, "bool")])


def video_file(folder: Path, key: str) -> Path:
    """Name the video of camera `key` that grows in a draft's folder."""
    return folder / f"{key}.mp4"


class OpenEpisode:
    """Collects the frames of one episode in a folder of its own, a draft that outlives its process.

    Vectors are appended to a file of fixed-size rows, and each camera's video grows by whole groups of pictures.
    """

    def __init__(self, folder: Path, specs: Specs, fps: int, recorder: Callable[[Path, Spec], CameraRecorder]) -> None:
        self.folder, self.num_frames = folder, 0
        self._type = row_type(specs, _cameras(specs))
        folder.mkdir(parents=True)
        described = {key: encode(spec) for key, spec in specs.items()}
        started = datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds")
        write_json(folder / ABOUT, {"started": started, "fps": fps, "specs": described})
        self._rows: list[np.ndarray] = []
        self._troubles: dict[int, str] = {}
        self._log = (folder / ROWS).open("wb", buffering=0)
        self._cameras = {key: recorder(video_file(folder, key), spec) for key, spec in _cameras(specs).items()}

    def add(self, frame: Frame, timing: Timing | None) -> None:
        """Append a frame that fits the specs."""
        for key, camera in self._cameras.items():
            camera.add(frame[key])
        row = np.zeros((), self._type)
        for name in self._type.names or ():
            row[name] = self._time(name.removeprefix(TIMING), timing) if name.startswith(TIMING) else frame[name]
        try:
            self._log.write(row.tobytes())
        except OSError as error:
            raise DatasetError(self.folder, f"cannot be written ({error.strerror}). Is the disk full?") from error
        self._rows.append(row)
        if timing and timing.trouble:
            self._note(timing.trouble)
        self.num_frames += 1

    def finish(self) -> Take:
        """Finish the videos and measure everything; raise `DatasetError` unless every row has its pictures."""
        self._log.close()
        for camera in self._cameras.values():
            camera.end()
        rows = np.stack(self._rows)  # all cameras finish meanwhile
        columns = {name: rows[name] for name in self._type.names or () if not name.startswith(TIMING)}
        stats = {key: Stats.of(values) for key, values in columns.items()}
        with ThreadPoolExecutor(max(len(self._cameras), 1)) as pool:
            finished = dict(zip(self._cameras, pool.map(self._finished, self._cameras), strict=True))
        return Take(
            columns=columns,
            videos={key: video for key, (video, _) in finished.items()},
            stats=stats | {key: measured for key, (_, measured) in finished.items()},
            timing=timing_of(rows, self._troubles),
        )

    def leave(self) -> None:
        """Stop the cameras and leave the draft as it is, for `etude dataset recover`."""
        for camera in self._cameras.values():
            camera.stop()
        self._log.close()

    def discard(self) -> None:
        """Stop the cameras and delete everything."""
        self.leave()
        delete(self.folder)

    def _finished(self, key: str) -> tuple[Path, Stats]:
        """Wait for a camera, and turn the video that grew into one that any program reads fast."""
        measured = self._cameras[key].finish()
        source = video_file(self.folder, key)
        whole = source.with_suffix(".whole.mp4")
        found = remux(source, whole)
        if found != self.num_frames:
            raise DatasetError(whole, f"holds {found} pictures for {self.num_frames} frames. Record it again.")
        return whole, measured

    def _note(self, trouble: Sequence[str]) -> None:
        """Keep what went wrong at the frame that is added; a disk that is full is told of by the rows."""
        self._troubles[self.num_frames] = " ".join(trouble)
        line = json.dumps({"frame": self.num_frames, "trouble": self._troubles[self.num_frames]})
        with suppress(OSError), (self.folder / TROUBLES).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _time(self, name: str, timing: Timing | None) -> float | bool:
        if timing is None:
            return False if name == IS_LATE else np.nan
        own = {TIME: timing.time_s, IS_LATE: timing.is_late}
        return own[name] if name in own else timing.camera_time_s.get(name, timing.time_s)


def mark(folder: Path, index: int) -> None:
    """Note that a draft is about to become episode `index`, so that after a crash it is not taken for another one."""
    write_json(folder / SAVING, {"episode": index})


def delete(folder: Path) -> None:
    """Delete a draft's folder; killed meanwhile, what is left of it is no draft any more."""
    (folder / ABOUT).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def timing_of(rows: np.ndarray, troubles: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Take the times out of a draft's rows, none when no frame has any, and add what went wrong, by frame."""
    times = {name.removeprefix(TIMING): rows[name] for name in rows.dtype.names or () if name.startswith(TIMING)}
    if not len(rows) or not np.isfinite(times[TIME]).any():
        return {}
    if troubles:
        times[TROUBLE] = np.array([troubles.get(frame, "") for frame in range(len(rows))], object)
    return times


def troubles_in(folder: Path) -> dict[int, str]:
    """Read what went wrong while a draft was recorded, by frame; a last line that broke off is left out."""
    path = folder / TROUBLES
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return {each["frame"]: each["trouble"] for each in map(json.loads, lines)}


def _cameras(specs: Specs) -> dict[str, Spec]:
    return {key: spec for key, spec in specs.items() if len(spec.shape) == 3}
