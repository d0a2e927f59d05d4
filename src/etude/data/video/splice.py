"""One video file out of pieces of others, made by copying coded pictures.

Only a group of pictures that a cut goes through is decoded and encoded again. A piece that could not be continued by
pictures encoded now, since another encoder made it, is encoded again whole.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from etude.core.errors import DatasetError
from etude.data.video.packets import Coding, Film, writing
from etude.data.video.recode import Encoding, recode


@dataclass(frozen=True, kw_only=True)
class Piece:
    """`length` pictures of a video file, from number `start` on."""

    path: Path
    start: int
    length: int

    @property
    def stop(self) -> int:
        """The number after the last picture."""
        return self.start + self.length


def film_of(path: Path) -> Film:
    """Read a file's table of contents, once as long as the file stays what it is."""
    try:
        status = path.stat()
    except OSError as error:
        raise DatasetError(path, "is missing. Copy it again from where the dataset came from.") from error
    return _film(path, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=32)
def _film(path: Path, *_: int) -> Film:
    return Film(path)


def coding(path: Path) -> Coding:
    """Tell what must be the same in all files whose pieces are spliced."""
    return film_of(path).coding


def num_bytes(piece: Piece) -> int:
    """Tell about how large a piece is."""
    film = film_of(piece.path)
    return int(film.size[piece.start : piece.stop].sum())


def cut(piece: Piece, encoding: Encoding, folder: Path) -> list[Piece]:
    """Give pieces that show what `piece` shows and that can be copied; what must be encoded again goes to `folder`."""
    film = film_of(piece.path)
    if piece.start < 0 or piece.stop > film.num_frames:
        raise film.damaged(piece.stop - 1)
    parts = [part if is_copied else _encoded(film, part, encoding, folder) for part, is_copied in _parts(film, piece)]
    if len({coding(part.path) for part in parts}) > 1:
        return [_encoded(film, piece, encoding, folder)]
    return parts


def splice(pieces: Sequence[Piece], path: Path, fps: int, encoding: Encoding | None = None) -> None:
    """Write pieces one after the other into the file `path`, so that picture n is shown at n / fps seconds.

    Raises `DatasetError` when their streams cannot follow one another (compare `coding` first), or are damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = encoding or Encoding.of({"video.codec": coding(pieces[0].path).codec})
    with tempfile.TemporaryDirectory(prefix=".splice-", dir=path.parent) as folder:
        parts = list(_joined(part for piece in pieces for part in cut(piece, encoding, Path(folder))))
        for part in parts:
            if coding(part.path) != coding(parts[0].path):
                raise DatasetError(part.path, f"is coded otherwise than {parts[0].path}; they cannot share a file.")
        _copy(parts, path, fps)


def _parts(film: Film, piece: Piece) -> Iterator[tuple[Piece, bool]]:
    """Divide a piece into parts, and tell of each whether it can be copied."""
    start, stop = piece.start, piece.stop
    group = int(np.searchsorted(film.starts, start))
    first = min(int(film.starts[group]), stop) if group < len(film.starts) else stop
    if first > start:
        yield Piece(path=piece.path, start=start, length=first - start), False
    last = _copied_until(film, first, stop)
    if last > first:
        yield Piece(path=piece.path, start=first, length=last - first), True
    if stop > last:
        yield Piece(path=piece.path, start=last, length=stop - last), False


def _copied_until(film: Film, first: int, stop: int) -> int:
    """Find how far packets can be copied: to `stop`, or to the group in which it comes out of the file's order."""
    if first >= stop or stop == film.num_frames or film.numbers[first:stop].max() < stop:
        return stop
    return int(film.starts[np.searchsorted(film.starts, stop, "right") - 1])


def _encoded(film: Film, piece: Piece, encoding: Encoding, folder: Path) -> Piece:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.iterdir()))}.mp4"
    recode(film, piece.start, piece.stop, path, encoding)
    return Piece(path=path, start=0, length=piece.length)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join pieces that follow one another in their file."""
    current: Piece | None = None
    for piece in pieces:
        if current and (piece.path, piece.start) == (current.path, current.stop):
            current = Piece(path=piece.path, start=current.start, length=current.length + piece.length)
            continue
        if current:
            yield current
        current = piece
    if current:
        yield current


def _copy(parts: Sequence[Piece], path: Path, fps: int) -> None:
    """Copy the packets of `parts`; packets are stored as early as the most shuffled of them needs."""
    shuffled = [film_of(part.path).numbers[part.start : part.stop] - part.start for part in parts]
    delay = max(int((np.arange(len(numbers)) - numbers).max()) for numbers in shuffled)
    with writing(path), closing(av.open(str(path), "w", options={"movflags": "faststart"})) as container:
        with av.open(str(parts[0].path)) as source:
            stream = container.add_stream_from_template(source.streams.video[0], opaque=True)
            stream.time_base = Fraction(1, fps)
        done = 0
        for part, numbers in zip(parts, shuffled, strict=True):
            for index, packet in enumerate(_packets(part)):
                packet.stream, packet.time_base, packet.duration = stream, Fraction(1, fps), 1
                packet.pts, packet.dts = done + int(numbers[index]), done + index - delay
                container.mux_one(packet)
            done += part.length
    _require_whole(path, done)


def _require_whole(path: Path, num_frames: int) -> None:
    """Look at what was written: the last bytes are written when the file is closed, and not all failures are told."""
    film = Film(path)
    if film.num_frames != num_frames or (film.place + film.size).max() > path.stat().st_size:
        raise DatasetError(path, "cannot be written whole. Is the disk full?")


def _packets(part: Piece) -> Iterator[av.Packet]:
    film = film_of(part.path)
    keys = film.is_key[part.start : part.stop]
    with part.path.open("rb") as file:
        for packet, is_key in zip(range(part.start, part.stop), keys.tolist(), strict=True):
            file.seek(film.place[packet])
            data = file.read(film.size[packet])
            if len(data) < film.size[packet]:
                raise film.damaged(packet)
            made = av.Packet(data)
            made.is_keyframe = is_key
            yield made
