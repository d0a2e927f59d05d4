"""Bringing small files together: a recording writes one table and one video per camera and episode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from etude.data.edit.build import build
from etude.data.edit.plan import Plan, Tell, same_keys, whole
from etude.data.edit.source import Source
from etude.data.versions import VERSION_FILE, link_tree, new_version
from etude.data.video.splice import coding


def compact(root: Path, tell: Tell = lambda *_: None) -> bool:
    """Regroup the files of the LeRobot v3.0 dataset `root` up to its own size limits; tell whether there was any need.

    Episodes, rows and pictures stay what they are, and pictures are copied, not encoded. Takes no lock: hold
    `versions.locked(root)` meanwhile. File numbers change, so read places from the dataset again afterwards.
    """
    source = Source(root)
    if not needs_compaction(source):
        return False
    plan = Plan(sources=(source,), kept=tuple(whole(source)), keys=same_keys(source), is_compact=True, continues=True)
    with new_version(root, "compact", is_edit=False) as folder:
        build(plan, folder, tell)
        # What is noted of the dataset as a whole is still true of it.
        link_tree(root, folder, lambda path: path.parent == VERSION_FILE.parent and path != VERSION_FILE)
    return True


def needs_compaction(source: Source) -> bool:
    """Whether two files in a row fit into one; looks at sizes alone."""
    if not len(source):
        return False
    if any(_small_pairs([source.data_path(place) for place in source.data.episodes_of], source.limit("data"))):
        return True
    return any(
        coding(one) == coding(other)
        for key, clips in source.clips.items()
        for one, other in _small_pairs(
            [source.video_path(key, place) for place in clips.episodes_of], source.limit("video")
        )
    )


def _small_pairs(paths: Sequence[Path], limit: int) -> Iterator[tuple[Path, Path]]:
    """Yield files in a row that are both less than half full; one that is missing is not small."""
    sizes = [path.stat().st_size if path.exists() else limit for path in paths]
    for number, (size, following) in enumerate(pairwise(sizes)):
        if max(size, following) < limit / 2:
            yield paths[number], paths[number + 1]
