"""`etude dataset convert`: a dataset of any format, as a LeRobot v3.0 dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tyro.conf import Positional

from etude.cli.console import progress, say
from etude.core.errors import UserError
from etude.data.formats.lerobot_v3.config import Config as Writing


@dataclass(frozen=True, kw_only=True)
class DatasetConvert:
    """Convert a dataset to LeRobot v3.0. Interrupted, the same command goes on where it was.

    Reads LeRobot v2.0 and v2.1, RLDS (TensorFlow Datasets), HDF5 of ALOHA, ACT and robomimic, and Zarr of Diffusion
    Policy. LeRobot's videos are copied, not encoded again.
    """

    source: Positional[Path]
    """The dataset's folder or file."""
    target: Positional[Path]
    """The new dataset's folder."""
    to: Literal["lerobot_v3", "lerobot_v21"] = "lerobot_v3"
    """Format to convert to; lerobot_v21 takes a v3.0 dataset back."""
    type: str | None = None
    """Format of the source. Default: found out."""
    fps: int = 0
    """Frames per second, where the files do not tell [1/s]."""
    task: str = ""
    """Task, where the files do not tell, as one sentence."""
    keys: tuple[str, ...] = ()
    """Other names than the usual ones, such as obs/eef_pos=observation.state; those that share one are joined."""
    options: tuple[str, ...] = ()
    """More of what the source's format asks, such as split=val or mask=train; see its README."""
    measure_pictures: bool = True
    """Decode some of the pictures that are copied, to complete their statistics."""
    write: Writing = field(default_factory=Writing)
    """How pictures are encoded that are not in LeRobot's videos."""


COMMAND = DatasetConvert


def run(command: DatasetConvert) -> int:
    """Convert, check that the result is whole, and say so."""
    from etude.data.convert import convert, opened

    source = opened(command.source, command.type, _given(command))
    for note in source.notes:
        say(note)
    total = len(source.episodes)
    with progress("converting", total) as bar:
        made = convert(
            source,
            command.target,
            lambda done, _: bar.update(done),
            to=command.to,
            options=command.write,
            is_measured=command.measure_pictures,
        )
    for note in made.notes:
        say(note)
    if made.num_before:
        say(f"{made.num_before} of {total} episodes had been converted before.")
    how = "copied as they are" if made.is_copied else "encoded"
    frames = made.dataset.episodes.num_frames
    print(f"{command.target}: {total} episodes, {frames} frames, as in {command.source}; pictures {how}.")
    return 0


def _given(command: DatasetConvert) -> dict[str, Any]:
    """Gather what was said about the source, by the names of its format's options."""
    given: dict[str, Any] = dict(_pairs("options", command.options))
    if command.fps:
        given["fps"] = command.fps
    if command.task:
        given["task"] = command.task
    if command.keys:
        given["keys"] = _pairs("keys", command.keys)
    return given


def _pairs(flag: str, words: tuple[str, ...]) -> dict[str, str]:
    lacking = next((word for word in words if "=" not in word), None)
    if lacking is not None:
        raise UserError(f"--{flag} should be like NAME=VALUE, got '{lacking}'.")
    return dict(word.split("=", 1) for word in words)
