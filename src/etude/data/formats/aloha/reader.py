"""Reads ALOHA / ACT: one HDF5 file per episode, arrays of whole episodes in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import DatasetError
from etude.data.dataset import Problem
from etude.data.foreign import hdf5
from etude.data.foreign.dataset import ForeignDataset, Outline
from etude.data.foreign.naming import Found, Selection, camera, joined, select
from etude.data.foreign.signature import is_hdf5
from etude.data.formats.aloha.config import Config

_USUAL_FPS = 50
_CAMERAS = "observations/images/"
_PADDING = "compress_len"
"""Bytes of each JPEG picture before the zeros that make all equally long; a decoder needs no such hint."""
_NAMES = {
    "action": "action",
    "base_action": "action.base",
    "observations/qpos": "observation.state",
    "observations/qvel": "observation.velocity",
    "observations/effort": "observation.effort",
}
_JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
_TWO_ARMS = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in _JOINTS)
_BY_ARM = ("action", "observations/qpos", "observations/qvel", "observations/effort")


def build(config: Config, root: Path) -> ForeignDataset:
    """Open the dataset in `root`; raise `DatasetError` when a file is damaged, or unlike the first one."""
    paths = _files(root)
    with hdf5.opened(paths[0]) as file:
        arrays = hdf5.arrays(file, (_PADDING,))
        found = {name: _found(name, array) for name, array in arrays.items()}
        told, is_simulated = file.attrs.get("fps"), bool(file.attrs.get("sim", False))
    selection = select(found, _usual(found), config.keys)
    lengths = [_length(path, found, selection) for path in paths]
    fps, notes = config.rate(told, _USUAL_FPS)
    text, text_notes = config.text("", root.name)
    outline = Outline(
        fps=fps,
        robot_type="aloha_sim" if is_simulated else "aloha",
        lengths=lengths,
        texts=[text] * len(paths),
        selection=selection,
        notes=(*notes, *text_notes),
    )
    return ForeignDataset(root, "aloha", outline, Files(config, paths, found, selection))


class Files:
    """The episodes' files."""

    def __init__(self, config: Config, paths: Sequence[Path], found: Mapping[str, Found], selection: Selection) -> None:
        self._is_swapped = config.swap_red_blue
        self._paths, self._found, self._selection = paths, found, selection

    def column(self, key: str) -> np.ndarray:
        """Read one key over all episodes."""
        names = self._selection.sources[key]
        rows = [self._arrays(path, names) for path in self._paths]
        return joined([np.concatenate(parts) for parts in zip(*rows, strict=True)], self._selection.specs[key])

    def pictures(self, key: str, episode: int, ticks: np.ndarray) -> Iterator[np.ndarray]:
        """Read pictures of one episode."""
        name, path = self._selection.sources[key][0], self._paths[episode]
        with hdf5.opened(path) as file:
            for tick in ticks.tolist():
                stored = file[name][tick]
                picture = stored if self._found[name].codec == "raw" else hdf5.unpacked(stored)
                if picture is None or picture.shape != self._selection.specs[key].shape:
                    what = f"the picture of '{name}' in frame {tick} is damaged or of another size. Copy it again."
                    raise DatasetError(path, what)
                yield picture[..., ::-1] if self._is_swapped else picture

    def identity(self, episode: int) -> str:
        """Tell an episode's file from a changed one."""
        return f"{hdf5.identity(self._paths[episode])} {self._is_swapped}"

    def check(self) -> Iterator[Problem]:
        """Say which episodes are missing between the first and the last."""
        there = {_number(path) for path in self._paths}
        for number in sorted(set(range(max(there))) - there):
            remedy = "Copy it again if it should be there; the others are read as they are."
            yield Problem(what=f"episode_{number} is missing", where=str(self._paths[0].parent), remedy=remedy)

    def _arrays(self, path: Path, names: Sequence[str]) -> list[np.ndarray]:
        with hdf5.opened(path) as file:
            return [file[name][()] for name in names]


def _files(root: Path) -> list[Path]:
    paths = [path for path in root.glob("episode_*") if is_hdf5(path)]
    return sorted(paths, key=lambda path: (_number(path), path))


def _number(path: Path) -> int:
    match = re.fullmatch(r"episode_(\d+)", path.stem)
    if not match:
        raise DatasetError(path, "should be called episode_NUMBER, like the others. Rename it, or move it away.")
    return int(match[1])


def _found(name: str, array: Any) -> Found:
    if name.startswith(_CAMERAS) and len(array.shape) < 4 and len(array):
        return hdf5.found_packed(array)
    return hdf5.found(array, _TWO_ARMS if name in _BY_ARM and array.shape[1:] == (len(_TWO_ARMS),) else ())


def _usual(found: Mapping[str, Found]) -> Callable[[str], str]:
    def name(path: str) -> str:
        if found[path].codec:
            return camera(path.removeprefix(_CAMERAS).rpartition("/")[2])
        return _NAMES.get(path, path.replace("observations/", "observation.").replace("/", "."))

    return name


def _length(path: Path, found: Mapping[str, Found], selection: Selection) -> int:
    """Tell an episode's length; raise `DatasetError` when its arrays are not those of the first episode."""
    names = [name for sources in selection.sources.values() for name in sources]
    with hdf5.opened(path) as file:
        lacking = next((name for name in names if name not in file), None)
        if lacking is not None:
            raise DatasetError(path, f"lacks '{lacking}', which the first episode has. Move the episode away.")
        lengths = {name: len(file[name]) for name in names}
        wrong = next((name for name in names if not _is_like(file[name], found[name])), None)
    if wrong is not None:
        raise DatasetError(path, f"'{wrong}' has another shape than in the first episode. Move the episode away.")
    if len(set(lengths.values())) != 1 or not max(lengths.values()):
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DatasetError(path, f"should hold one length of all arrays, got {told}. Move the episode away.")
    return next(iter(lengths.values()))


def _is_like(array: Any, found: Found) -> bool:
    return found.codec == "jpeg" or tuple(array.shape[1:]) == found.shape
