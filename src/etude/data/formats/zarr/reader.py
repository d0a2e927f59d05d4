"""Reads replay buffers of Diffusion Policy: all frames in a row, and where each episode ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import DatasetError
from etude.data.dataset import Problem
from etude.data.foreign.dataset import ForeignDataset, Outline
from etude.data.foreign.naming import Found, Selection, camera, joined, select
from etude.data.formats.zarr.config import Config
from etude.data.formats.zarr.store import Buffer

_USUAL_FPS = 10
_STATES = (
    ("robot0_eef_pos", "robot0_eef_rot_axis_angle", "robot0_gripper_width"),  # UMI
    ("agent_pos",),
    ("state",),
)


def build(config: Config, root: Path) -> ForeignDataset:
    """Open the replay buffer at `root`; raise `DatasetError` when it is damaged or does not add up."""
    buffer = Buffer(root)
    ends = _ends(root, buffer)
    found = {name: _found(buffer.arrays[name]) for name in buffer.arrays}
    selection = select(found, _usual(found), config.keys)
    for name in (name for sources in selection.sources.values() for name in sources):
        if (length := buffer.arrays[name].shape[0]) != ends[-1]:
            what = f"data/{name} holds {length} frames, the last episode ends at {ends[-1]}. Copy the dataset again."
            raise DatasetError(root, what)
    fps, notes = config.rate(None, _USUAL_FPS)
    text, text_notes = config.text("", root.name.partition(".")[0])
    outline = Outline(
        fps=fps,
        lengths=np.diff(ends, prepend=0).tolist(),
        texts=[text] * len(ends),
        selection=selection,
        notes=(*notes, *text_notes),
    )
    return ForeignDataset(root, "zarr", outline, Frames(buffer, ends, selection))


class Frames:
    """The frames of all episodes."""

    def __init__(self, buffer: Buffer, ends: np.ndarray, selection: Selection) -> None:
        self._buffer, self._selection = buffer, selection
        self._starts = ends - np.diff(ends, prepend=0)
        self._is_unit: dict[str, bool] = {}

    def column(self, key: str) -> np.ndarray:
        """Read one key over all frames."""
        sources = self._selection.sources[key]
        return joined([self._buffer.read(name, 0, None) for name in sources], self._selection.specs[key])

    def pictures(self, key: str, episode: int, ticks: np.ndarray) -> Iterator[np.ndarray]:
        """Read pictures of one episode; those that are stored in one piece are read together."""
        name = self._selection.sources[key][0]
        rows, piece = self._starts[episode] + ticks, self._buffer.arrays[name].chunks[0]
        for number in np.unique(rows // piece).tolist():
            here = rows[rows // piece == number]
            first = int(here[0])
            pictures = self._buffer.read(name, first, int(here[-1]) + 1)
            for row in here.tolist():
                yield self._whole(name, pictures[row - first])

    def identity(self, episode: int) -> str:
        """Tell an episode from those of a changed buffer."""
        return f"{self._buffer.identity()} {episode}"

    def check(self) -> Iterator[Problem]:
        """Yield nothing: what this layout promises is seen when it is opened."""
        return iter(())

    def _whole(self, name: str, picture: np.ndarray) -> np.ndarray:
        """Give a picture as whole numbers; those with a fraction are 0..255, or 0..1 when the first picture is."""
        if picture.dtype == np.uint8:
            return picture
        if name not in self._is_unit:
            self._is_unit[name] = bool(self._buffer.read(name, 0, 1).max(initial=0) <= 1)
        return np.clip(np.round(picture * (255 if self._is_unit[name] else 1)), 0, 255).astype(np.uint8)


def _ends(root: Path, buffer: Buffer) -> np.ndarray:
    ends = np.asarray(buffer.ends(), np.int64)
    if ends.ndim != 1 or not len(ends) or (np.diff(ends, prepend=0) <= 0).any():
        raise DatasetError(root, "meta/episode_ends should be numbers that grow, one per episode. Copy it again.")
    return ends


def _found(array: Any) -> Found:
    shape = tuple(array.shape[1:])
    if len(shape) == 3 and (array.dtype == np.uint8 or (array.dtype.kind == "f" and shape[2] == 3)):
        return Found(shape=shape, dtype=array.dtype.name, codec="raw")
    return Found(shape=shape, dtype=array.dtype.name if array.dtype.kind in "fiub" else "object")


def _usual(found: Mapping[str, Found]) -> Callable[[str], str]:
    state = next((names for names in _STATES if all(name in found for name in names)), ())

    def key(name: str) -> str:
        if found[name].codec:
            return camera(name)
        return "action" if name == "action" else "observation.state" if name in state else f"observation.{name}"

    return key
