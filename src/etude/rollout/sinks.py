"""Who watches a rollout: a dataset writer, a video, a live line in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from etude.core.frame import ACTION, STATE, Frame, images
from etude.data.timing import Timing
from etude.data.video import VideoWriter
from etude.envs.env import Step

MOST_HELD_BYTES = 64 * 2**20
"""Of pictures that wait in memory to learn whether anybody wants to see them."""


@runtime_checkable
class Sink(Protocol):
    """Watches a rollout and never changes it."""

    def begin(self, seed: int) -> None:
        """Learn that an episode begins."""
        ...

    def tick(self, frame: Frame, step: Step) -> None:
        """See what was observed and what was then done."""
        ...

    def end(self, success: bool) -> None:
        """Learn how the episode went."""
        ...

    def abort(self, *exception: object) -> None:
        """Learn that the episode broke off with an error."""
        ...


class EpisodeWriter(Protocol):
    """Takes the frames of one episode after the other."""

    def add_frame(self, frame: Frame, timing: Timing | None = None) -> None:
        """Append one frame to the open episode."""
        ...

    def save_episode(self, task: str) -> None:
        """Keep the open episode."""
        ...

    def discard_episode(self) -> None:
        """Forget the open episode."""
        ...

    def leave_episode(self) -> None:
        """Leave the open episode as a draft."""
        ...


class RecordSink:
    """Writes each episode to a dataset: the observation and the applied action of every tick.

    With `keep` false for an outcome, such as a failed demonstration, the episode is discarded. `timing` tells when the
    newest observation was made.
    """

    def __init__(
        self,
        writer: EpisodeWriter,
        task: str,
        keep: Callable[[bool], bool] = lambda _: True,
        timing: Callable[[], Timing | None] = lambda: None,
    ) -> None:
        self._writer, self._task, self._keep, self._timing = writer, task, keep, timing
        self._observed: Timing | None = None

    def begin(self, seed: int) -> None:
        """Start with an empty episode."""
        del seed
        self._observed = self._timing()

    def tick(self, frame: Frame, step: Step) -> None:
        """Append one frame."""
        self._writer.add_frame(frame | {ACTION: step.action}, self._observed)
        self._observed = self._timing()

    def end(self, success: bool) -> None:
        """Commit the episode, or discard it."""
        if self._keep(success):
            self._writer.save_episode(self._task)
        else:
            self._writer.discard_episode()

    def abort(self, *exception: object) -> None:
        """Leave the broken episode as a draft; those saved before are untouched."""
        del exception
        self._writer.leave_episode()


class StateSink:
    """Keeps the robot's state at every tick of the last episode, in `states`."""

    def __init__(self) -> None:
        self.states: list[np.ndarray] = []

    def begin(self, seed: int) -> None:
        """Forget the last episode."""
        del seed
        self.states = []

    def tick(self, frame: Frame, step: Step) -> None:
        """Keep one state."""
        del step
        self.states.append(frame[STATE])

    def end(self, success: bool) -> None:
        """Keep what was seen."""
        del success

    def abort(self, *exception: object) -> None:
        """Keep what was seen."""
        del exception


class VideoSink:
    """Films one episode into an mp4: what `picture` gives, with a frame around the end that tells how it went.

    Without `picture` these are all cameras side by side. With `only_failures` nothing is encoded of an episode that
    succeeds: its pictures are held in memory until it ends, unless they are too many for that.
    """

    def __init__(
        self,
        path: Path,
        fps: float,
        *,
        height: int = 288,
        picture: Callable[[], np.ndarray] | None = None,
        only_failures: bool = False,
    ) -> None:
        self._path, self._fps, self._height, self._picture = path, fps, height, picture
        self._most_held = MOST_HELD_BYTES if only_failures else 0
        self._video: VideoWriter | None = None
        self._held: list[list[np.ndarray]] = []
        self._last: np.ndarray | None = None

    def begin(self, seed: int) -> None:
        """Wait for the first tick."""
        del seed

    def tick(self, frame: Frame, step: Step) -> None:
        """Film one frame."""
        del step
        seen = [self._picture()] if self._picture else _colour_pictures(frame)
        if not seen:
            return
        self._held.append([picture.copy() for picture in seen])
        if len(self._held) * sum(picture.nbytes for picture in seen) > self._most_held:
            self._write_held()
            self._most_held = 0

    def end(self, success: bool) -> None:
        """Hold the last picture for half a second, framed green for success and red for failure."""
        if success and self._most_held:
            self._held.clear()
            return
        self._write_held()
        if self._last is not None:
            for _ in range(max(round(self._fps / 2), 1)):
                self._write(_framed(self._last, (60, 180, 75) if success else (220, 50, 47)))
        self._close()

    def abort(self, *exception: object) -> None:
        """Keep what was filmed."""
        del exception
        self._write_held()
        self._close()

    def _close(self) -> None:
        if self._video:
            self._video.close()
            self._video = None

    def _write_held(self) -> None:
        for seen in self._held:
            self._last = seen[0] if self._picture else _side_by_side(seen, self._height)
            self._write(self._last)
        self._held.clear()

    def _write(self, picture: np.ndarray) -> None:
        if self._video is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._video = VideoWriter(self._path, fps=round(self._fps), vcodec="h264", crf=23, g=30, preset="superfast")
        self._video.add(picture)


def _colour_pictures(frame: Frame) -> list[np.ndarray]:
    return [frame[key] for key in images(frame) if frame[key].dtype == np.uint8]


def _side_by_side(pictures: Sequence[np.ndarray], height: int) -> np.ndarray:
    widths = [round(height * picture.shape[1] / picture.shape[0] / 2) * 2 for picture in pictures]
    scaled = [
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST)
        for picture, width in zip(pictures, widths, strict=True)
    ]
    return np.concatenate(scaled, axis=1)


def _framed(picture: np.ndarray, colour: tuple[int, int, int], width: int = 6) -> np.ndarray:
    framed = picture.copy()
    for edge in (np.s_[:width], np.s_[-width:], np.s_[:, :width], np.s_[:, -width:]):
        framed[edge] = colour
    return framed
