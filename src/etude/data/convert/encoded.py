"""Recording the episodes of a dataset anew: what no copy can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.frame import Frame
from etude.data.convert.origin import Origin, write_origin
from etude.data.convert.rows import Tell
from etude.data.dataset import Dataset
from etude.data.draft import drafts
from etude.data.episodes import Episode
from etude.data.opening import create_dataset

_AT_ONCE = 16
"""Frames whose pictures are in memory together."""


def encode_episodes(source: Dataset, root: Path, origin: Origin, options: Any, tell: Tell) -> tuple[str, ...]:
    """Record the episodes that are not in `root` yet; each is safe on disk before the next one begins."""
    is_begun = root.exists() and any(root.iterdir())
    if is_begun:
        _drop_drafts(root)
    specs = {key: replace(spec, unit="") for key, spec in source.specs.items()}
    writer = create_dataset(root, specs, source.fps, source.robot_type, resume=is_begun, config=options)
    try:
        write_origin(root, origin)
        for number in range(writer.num_episodes, len(source.episodes)):
            tell(number, len(source.episodes))
            episode = source.episodes[number]
            for frame in _frames(source, episode):
                writer.add_frame(frame)
            writer.save_episode(_task(source, episode))
        tell(len(source.episodes), len(source.episodes))
    finally:
        writer.discard_episode()
        writer.close()
    return tuple(_left_behind(source))


def _drop_drafts(root: Path) -> None:
    """Drop the episode that an earlier attempt was in the middle of: it is made anew from its source."""
    for draft in drafts(root):
        draft.drop()


def _frames(source: Dataset, episode: Episode) -> Iterator[Frame]:
    cameras = list(source.codecs)
    columns = {key: source.column(key) for key in source.specs if key not in cameras}
    for first in range(episode.start, episode.stop, _AT_ONCE):
        rows = np.arange(first, min(first + _AT_ONCE, episode.stop))
        pictures = {key: source.images(key, rows) for key in cameras}
        for tick, row in enumerate(rows.tolist()):
            yield {key: column[row] for key, column in columns.items()} | {key: pictures[key][tick] for key in cameras}


def _task(source: Dataset, episode: Episode) -> str:
    return source.tasks[int(source.column("task_index")[episode.start])]


def _left_behind(source: Dataset) -> Iterator[str]:
    if source.text_keys:
        yield f"Columns of text are left behind: {', '.join(source.text_keys)}."
    several = sum(len(episode.tasks) > 1 for episode in source.episodes)
    if several:
        yield f"{several} episodes had several tasks; they have their first one now."
