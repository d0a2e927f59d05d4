"""The videos of a dataset that is put together from the pictures which a damaged one still has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from etude.core.errors import DatasetError
from etude.data.formats.lerobot_v3.layout import Place, after, path_of, place_of
from etude.data.lerobot.contents import Clip
from etude.data.lerobot.header import Header
from etude.data.lerobot.remains import Shots, whole_frames
from etude.data.versions import link
from etude.data.video import VideoWriter
from etude.data.video.recode import Encoding
from etude.data.video.splice import Piece, film_of, splice


def write_videos(header: Header, key: str, shots: Sequence[Shots], root: Path) -> list[Clip]:
    """Give dataset `root` one camera's videos; return where each episode's pictures are in them.

    A file of which all is wanted is linked, else the wanted pictures are copied, and stills are encoded.
    """
    wanted: dict[Path, list[Clip]] = defaultdict(list)
    for each in shots:
        if isinstance(each, Clip):
            wanted[each.path].append(each)
    moved = {clip: new for path in wanted for clip, new in _written(header, key, path, wanted[path], root)}
    used = [place_of(path) for path in wanted]
    clips: list[Clip] = []
    for each in shots:
        if isinstance(each, Clip):
            clips.append(moved[each])
        else:
            used.append(after(used, header.chunks_size))
            clips.append(_encoded(header, key, each, _path(header, key, used[-1], root)))
    return clips


def _written(header: Header, key: str, path: Path, clips: list[Clip], root: Path) -> Iterator[tuple[Clip, Clip]]:
    """Bring the wanted pictures of one file over; give each clip as it was and as it is now."""
    target = _path(header, key, place_of(path), root)
    starts = np.cumsum([0, *(clip.length for clip in clips)]).tolist()
    is_all = starts[:-1] == [clip.start for clip in clips] and starts[-1] == film_of(path).num_frames
    if is_all and whole_frames(path) == starts[-1]:
        link(path, target)
    else:
        pieces = [Piece(path=path, start=clip.start, length=clip.length) for clip in clips]
        splice(pieces, target, header.fps, Encoding.of(header.features[key].get("info") or {}))
    for clip, start in zip(clips, starts, strict=False):
        yield clip, Clip(path=target, start=start, length=clip.length)


def _encoded(header: Header, key: str, stills: list[Path], path: Path) -> Clip:
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = Encoding.of(header.features[key].get("info") or {})
    with closing(VideoWriter(path, header.fps, vcodec=encoding.vcodec)) as video:
        for still in stills:
            video.add(_still(still))
    return Clip(path=path, start=0, length=len(stills))


def _still(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise DatasetError(path, "is no whole picture. Delete its folder to go on without the episode.")
    return picture


def _path(header: Header, key: str, place: Place, root: Path) -> Path:
    return root / path_of(header.video_path or "", place, key)
