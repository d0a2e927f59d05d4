"""The videos of one camera, copied picture by picture from files of one episode each to files of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from etude.data.formats.lerobot_v3.layout import Place, after, path_of
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.header import Header
from etude.data.versions import link
from etude.data.video.splice import Piece, coding, film_of, num_bytes, splice


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where an episode's pictures are now."""

    place: Place
    start: int
    """The number of its first picture in the file."""


def join_videos(
    source: LeRobotDataset, key: str, header: Header, draft: Path, tell: Callable[[], None]
) -> list[Placed]:
    """Write the files of one camera, and say where each episode's pictures are; `tell` is called for each."""
    placed: list[Placed] = []
    place: Place | None = None
    for group in _groups(source, key, header.sizes_in_mb["video"] << 20):
        place = after([place] if place else [], header.chunks_size)
        path = draft / path_of(header.video_path or "", place, key)
        if len(group) == 1:
            link(group[0].path, path)
        else:
            splice(group, path, header.fps)
        start = 0
        for piece in group:
            placed.append(Placed(place=place, start=start))
            start += piece.length
            tell()
    return placed


def cut_video(piece: Piece, path: Path, fps: int) -> None:
    """Write a file that holds one episode's pictures alone."""
    if piece.start == 0 and piece.length == film_of(piece.path).num_frames:
        link(piece.path, path)
    else:
        splice([piece], path, fps)


def _groups(source: LeRobotDataset, key: str, limit: int) -> Iterator[Sequence[Piece]]:
    """Put together what can share a file; a video that has not as many pictures as its episode stays alone."""
    group: list[Piece] = []
    size = 0
    for number, length in enumerate(source.episodes.length.tolist()):
        path = _path(source, key, number)
        piece = Piece(path=path, start=0, length=film_of(path).num_frames)
        fits = group and size + num_bytes(piece) < limit and coding(path) == coding(group[0].path)
        if group and (not fits or piece.length != length or group[-1].length != source.episodes.length[number - 1]):
            yield group
            group, size = [], 0
        group.append(piece)
        size += num_bytes(piece)
    if group:
        yield group


def _path(source: LeRobotDataset, key: str, number: int) -> Path:
    index, header = int(source.episodes.indices[number]), source.header
    template = header.video_path or ""
    chunk = index // header.chunks_size
    return source.root / template.format(episode_chunk=chunk, episode_index=index, video_key=key)
