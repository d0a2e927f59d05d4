"""Whether a LeRobot dataset's files hold what its header and its episodes promise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from etude.core.errors import DatasetError
from etude.data.dataset import Episodes, Problem
from etude.data.lerobot.contents import Clips, Contents
from etude.data.lerobot.header import FILE, Header
from etude.data.video import OpenVideos

_AGAIN = "Copy the dataset again, or leave out the episodes concerned."


def file_problems(header: Header, contents: Contents, videos: OpenVideos) -> Iterator[Problem]:
    """Yield what does not hold: counters, clip lengths, frames against rows in every video."""
    yield from _counters(header, contents)
    for key, clips in contents.clips.items():
        yield from _lengths(key, clips, contents.episodes)
        yield from _frames(clips, videos)


def _counters(header: Header, contents: Contents) -> Iterator[Problem]:
    counted = {
        "total_episodes": (header.total_episodes, len(contents.episodes)),
        "total_frames": (header.total_frames, contents.episodes.num_frames),
        "total_tasks": (header.total_tasks, len(contents.tasks)),
    }
    for name, (promised, found) in counted.items():
        if promised != found:
            yield Problem(
                what=f"{name} is {promised}, but there are {found}",
                where=str(FILE),
                remedy=f"Set {name} to {found} if nothing is missing; else copy the dataset again.",
            )


def _lengths(key: str, clips: Clips, episodes: Episodes) -> Iterator[Problem]:
    for episode, clip in zip(episodes, clips, strict=True):
        if clip.length != len(episode):
            yield Problem(
                what=f"the video of {key} lasts {clip.length} frames, the table {len(episode)} rows",
                where=f"episode {episode.index}",
                remedy="Frames were dropped while recording, so pictures and rows disagree: leave out the episode.",
            )


def _frames(clips: Clips, videos: OpenVideos) -> Iterator[Problem]:
    wanted: dict[Path, int] = defaultdict(int)
    for clip in clips:
        wanted[clip.path] += clip.length
    for path, length in wanted.items():
        try:
            found = videos[path].num_frames
        except DatasetError as error:
            yield Problem(what=error.problem, where=str(path), remedy=_AGAIN)
            continue
        if found != length:
            yield Problem(what=f"holds {found} frames, its episodes {length} rows", where=str(path), remedy=_AGAIN)
