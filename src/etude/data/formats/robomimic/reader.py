"""Reads robomimic: one HDF5 file, a group per demonstration. LIBERO's files have the same layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import DatasetError, NotFound
from etude.data.dataset import Problem
from etude.data.foreign import hdf5
from etude.data.foreign.dataset import ForeignDataset, Outline
from etude.data.foreign.naming import Found, Selection, camera, joined, select
from etude.data.formats.robomimic.config import Config

_USUAL_FPS = 20
_SKIPPED = ("next_obs", "states")
"""What follows one frame later, and the simulator's hidden truth."""
_NAMES = {"actions": "action", "rewards": "next.reward", "dones": "next.done"}
_STATES = (
    ("robot0_eef_pos", "robot0_eef_quat", "robot0_gripper_qpos"),  # what robomimic's own configs train on
    ("ee_states", "gripper_states"),  # LIBERO
)
_OBJECT = "observation.environment_state"


def build(config: Config, root: Path) -> ForeignDataset:
    """Open the dataset in file `root`; raise `DatasetError` when it is damaged or holds something else."""
    with hdf5.opened(root) as file:
        names = _demonstrations(config, root, file)
        found = {name: hdf5.found(array) for name, array in hdf5.arrays(file["data"][names[0]], _SKIPPED).items()}
        selection = select(found, _usual(found), config.keys)
        lengths = [_length(root, file["data"][name], name, found, selection) for name in names]
        environment = _json(file["data"].attrs.get("env_args"))
        told = _language(file["data"].attrs) or str(environment.get("env_name", ""))
    settings = environment.get("env_kwargs")
    fps, notes = config.rate(settings.get("control_freq") if isinstance(settings, dict) else None, _USUAL_FPS)
    text, text_notes = config.text(told, root.stem)
    outline = Outline(
        fps=fps,
        robot_type=_robot(settings),
        lengths=lengths,
        texts=[text] * len(names),
        selection=selection,
        notes=(*notes, *text_notes),
    )
    return ForeignDataset(root, "robomimic", outline, Files(root, names, selection))


class Files:
    """The file, opened whenever it is read."""

    def __init__(self, path: Path, names: Sequence[str], selection: Selection) -> None:
        self._path, self._names, self._selection = path, names, selection

    def column(self, key: str) -> np.ndarray:
        """Read one key over all demonstrations."""
        sources = self._selection.sources[key]
        with hdf5.opened(self._path) as file:
            parts = [np.concatenate([file[f"data/{name}/{source}"][()] for name in self._names]) for source in sources]
        return joined(parts, self._selection.specs[key])

    def pictures(self, key: str, episode: int, ticks: np.ndarray) -> Iterator[np.ndarray]:
        """Read pictures of one demonstration."""
        with hdf5.opened(self._path) as file:
            array = file[f"data/{self._names[episode]}/{self._selection.sources[key][0]}"]
            for tick in ticks.tolist():
                yield array[tick]

    def identity(self, episode: int) -> str:
        """Tell the demonstration from those of a changed file."""
        return f"{hdf5.identity(self._path)} {self._names[episode]}"

    def check(self) -> Iterator[Problem]:
        """Compare the counter that each demonstration stores with its length."""
        with hdf5.opened(self._path) as file:
            for name in self._names:
                group = file["data"][name]
                promised = group.attrs.get("num_samples")
                length = len(next(iter(hdf5.arrays(group, _SKIPPED).values())))
                if promised is not None and promised != length:
                    what = f"{name} promises {promised} frames and holds {length}"
                    yield Problem(what=what, where=str(self._path), remedy="Copy the file again.")


def _demonstrations(config: Config, root: Path, file: Any) -> list[str]:
    """List the demonstrations in the order of their numbers; only those of the filter, if one is asked for."""
    data = file.get("data")
    names = [name for name in data if hasattr(data[name], "keys")] if hasattr(data, "keys") else []
    if not names:
        if "observations" in file:
            raise DatasetError(root, "is one episode of an ALOHA dataset. Give the folder it lies in.")
        raise DatasetError(root, "is HDF5, but no robomimic dataset: it holds no /data/demo_0. Ask who wrote it.")
    if config.mask:
        masks = file.get("mask", {})
        if config.mask not in masks:
            raise NotFound(f"filter in {root}", config.mask, masks)
        chosen = {name.decode() if isinstance(name, bytes) else str(name) for name in masks[config.mask][()]}
        names = [name for name in names if name in chosen]
        if not names:
            raise DatasetError(root, f"the filter {config.mask} names no demonstration that is there.")
    return sorted(names, key=lambda name: ([int(number) for number in re.findall(r"\d+", name)], name))


def _length(root: Path, group: Any, name: str, found: Mapping[str, Found], selection: Selection) -> int:
    """Tell a demonstration's length; raise `DatasetError` when its arrays are not those of the first one."""
    lengths: dict[str, int] = {}
    for source in (source for sources in selection.sources.values() for source in sources):
        if source not in group or tuple(group[source].shape[1:]) != found[source].shape:
            what = f"/data/{name} lacks '{source}' as the first demonstration has it. Leave it out (mask)."
            raise DatasetError(root, what)
        lengths[source] = len(group[source])
    if len(set(lengths.values())) != 1 or not max(lengths.values()):
        told = ", ".join(f"{source} {length}" for source, length in lengths.items())
        raise DatasetError(root, f"/data/{name} should hold one length of all arrays, got {told}. Leave it out (mask).")
    return next(iter(lengths.values()))


def _usual(found: Mapping[str, Found]) -> Callable[[str], str]:
    state = next((names for names in _STATES if all(f"obs/{name}" in found for name in names)), ("state",))

    def key(path: str) -> str:
        name = path.removeprefix("obs/")
        if found[path].codec:
            return camera(name)
        if path.startswith("obs/"):
            return "observation.state" if name in state else _OBJECT if name == "object" else f"observation.{name}"
        return _NAMES.get(path, path.replace("/", "."))

    return key


def _language(attributes: Any) -> str:
    """Tell the task as LIBERO stores it."""
    told = _json(attributes.get("problem_info")).get("language_instruction", "")
    return " ".join(told) if isinstance(told, list) else str(told).strip()


def _robot(settings: Any) -> str | None:
    robots = settings.get("robots") if isinstance(settings, dict) else None
    return "+".join(map(str, robots)) if isinstance(robots, list) else robots if isinstance(robots, str) else None


def _json(text: Any) -> dict[str, Any]:
    """Read what should be a JSON object; files that hold something else tell nothing."""
    try:
        stored = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}
