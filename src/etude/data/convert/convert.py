"""Converting a dataset: which way, whether it was begun before, and whether the result is what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import DatasetError, NotFound, UserError
from etude.data.convert.downgrade import downgrade
from etude.data.convert.encoded import encode_episodes
from etude.data.convert.origin import Origin, origin_of, read_origin
from etude.data.convert.rows import Tell
from etude.data.convert.upgrade import upgrade
from etude.data.dataset import Dataset
from etude.data.formats import formats
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.opening import open_dataset

TARGETS = ("lerobot_v3", "lerobot_v21")
_MOST_COMPARED = 100
"""Episodes whose videos are compared with the source's afterwards."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What was made."""

    dataset: Dataset
    num_before: int
    """Episodes that an earlier, interrupted conversion had made."""
    is_copied: bool
    """Whether the pictures are the source's own bytes; else they were encoded."""
    notes: tuple[str, ...]
    """Sentences about what was left behind."""


def convert(
    source: Dataset, root: Path, tell: Tell, *, to: str = "lerobot_v3", options: Any = None, is_measured: bool = True
) -> Conversion:
    """Make a dataset of format `to` in folder `root` from `source`, going on where an earlier attempt ended.

    LeRobot's videos are copied as they are, other pictures encoded as the write `options` say. With `is_measured` the
    statistics of copied pictures are completed by decoding some. Raises `UserError` when `root` holds something else.
    """
    way, origin = _way(source, to), origin_of(source)
    before = _begun(root, origin)
    notes: tuple[str, ...] = ()
    if before is None or before < len(source.episodes):
        if way == "encode":
            notes = encode_episodes(source, root, origin, options, tell)
        else:
            assert isinstance(source, LeRobotDataset)
            notes = (
                downgrade(source, root, origin, tell)
                if way == "downgrade"
                else upgrade(source, root, origin, tell, is_measured=is_measured)
            )
    made = open_dataset(root)
    _verify(source, made, is_copied=way != "encode")
    return Conversion(dataset=made, num_before=before or 0, is_copied=way != "encode", notes=notes)


def opened(root: Path, kind: str | None, given: Mapping[str, Any]) -> Dataset:
    """Open the dataset at `root` with options of its format; raise `UserError` when the format has no such option."""
    found = kind or next((name for name in formats.names() if formats.config(name).matches(root)), None)
    if found is None or (kind is None and not given):
        return open_dataset(root)
    config: Any = formats.config(found)
    known = {field.name: field.type for field in fields(config)}
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None and "keys" not in known:
        raise UserError(f"Datasets of format {found} tell everything themselves; '{unknown}' cannot be set.")
    if unknown is not None:
        raise NotFound(f"option of format {found}", unknown, known)
    if not config.matches(root):
        raise UserError(f"{root} is no dataset of format {found}: looked for {config.LOOKS_FOR}.")
    return formats.build(config(**{name: _typed(name, value, known[name]) for name, value in given.items()}), root)


def _typed(name: str, value: Any, hint: Any) -> Any:
    """Read an option that was typed as text."""
    if hint not in ("bool", bool) or not isinstance(value, str):
        return value
    if value.lower() not in ("true", "false"):
        raise UserError(f"{name} should be true or false, got '{value}'.")
    return value.lower() == "true"


def _way(source: Dataset, to: str) -> str:
    """Choose between copying videos and encoding pictures."""
    if to not in TARGETS:
        raise NotFound("format to convert to", to, TARGETS)
    is_filmed = isinstance(source, LeRobotDataset) and "image" not in (
        feature["dtype"] for feature in source.header.features.values()
    )
    if to == "lerobot_v21":
        if source.format != "lerobot_v3":
            raise UserError(f"{source.root} is of format {source.format}; only LeRobot v3.0 is converted to v2.1.")
        return "downgrade"
    if source.format == "lerobot_v3" and is_filmed:
        raise UserError(f"{source.root} is a LeRobot v3.0 dataset already; there is nothing to convert.")
    return "upgrade" if is_filmed else "encode"


def _begun(root: Path, origin: Origin) -> int | None:
    """Count the episodes of an earlier attempt; nothing without one; raise `UserError` for anything else in `root`."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return None
    found, made = read_origin(root), open_dataset(root)
    if found is None and len(made.episodes):
        raise UserError(f"{root} holds a dataset that was not converted from {origin.source}. Choose another folder.")
    if found is not None and found.identity != origin.identity:
        raise UserError(f"{root} is converted from {found.source}, which is another dataset. Choose another folder.")
    return len(made.episodes)


def _verify(source: Dataset, made: Dataset, *, is_copied: bool) -> None:
    """Raise `DatasetError` unless the result has the source's episodes and, where they were copied, its videos."""
    if not np.array_equal(source.episodes.length, made.episodes.length):
        held = f"{len(made.episodes)} episodes and {made.episodes.num_frames} frames"
        wanted = f"{len(source.episodes)} and {source.episodes.num_frames}"
        raise DatasetError(made.root, f"holds {held}, the source {wanted}. Delete it and convert again.")
    if not is_copied:
        return
    last = len(source.episodes) - 1
    for number in np.unique(np.linspace(0, last, _MOST_COMPARED).astype(np.int64)).tolist() if last >= 0 else ():
        for key in source.codecs:
            if source.fingerprint(key, number) != made.fingerprint(key, number):
                what = f"the pictures of {key} in episode {number} are not the source's. Delete it and convert again."
                raise DatasetError(made.root, what)
