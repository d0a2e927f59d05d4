"""The videos of a new version: whole files where they stay as they are, pieces copied together where not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from etude.core.errors import DatasetError
from etude.data.edit.groups import Group, Unit, grouped, linked, placed
from etude.data.edit.plan import Kept, Plan, Tell
from etude.data.edit.source import Located, Source
from etude.data.formats.lerobot_v3.layout import Place, path_of
from etude.data.lerobot.header import is_depth
from etude.data.versions import link
from etude.data.video.recode import Encoding, recode
from etude.data.video.splice import Piece, coding, cut, film_of, num_bytes, splice


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Where the pictures of a new episode are."""

    place: Place
    from_timestamp: float
    to_timestamp: float


class Videos:
    """Writes one camera's files; pictures that are encoded again are kept in `work` meanwhile."""

    def __init__(self, plan: Plan, key: str, folder: Path, work: Path) -> None:
        self._plan, self._key, self._folder, self._work = plan, key, folder, work
        source = plan.sources[0]
        self._template, self._fps = source.header.video_path or "", source.fps
        is_kept = any(is_depth(source.features[key]) for source in plan.sources)
        self._new_encoding = None if is_kept else plan.encoding
        self._pieces: dict[int, list[Piece]] = {}

    def write(self, used: Sequence[Place], tell: Tell) -> list[Clip]:
        """Write or link the files, and give each new episode's clip."""
        source = self._plan.sources[0]
        units = list(self._units(tell))
        groups = list(grouped(units, source.limit("video"), is_compact=self._plan.is_compact))
        places = placed(groups, used, source.header.chunks_size, in_order=False)
        clips: dict[int, Clip] = {}
        for group, place in zip(groups, places, strict=True):
            clips |= self._write(group, place)
            tell(len(clips), len(self._plan.kept))
        return [clips[number] for number in range(len(self._plan.kept))]

    def _units(self, tell: Tell) -> Iterator[Unit]:
        whole_files = self._whole_files()
        done: set[tuple[int, Place]] = set()
        for number, kept in enumerate(self._plan.kept):
            source, place = self._plan.sources[kept.source], self._located(kept).place(kept.episode)
            file = (kept.source, place)
            if file in done:
                continue
            if file in whole_files:
                done.add(file)
                yield self._whole_unit(source, place, whole_files[file])
            else:
                pieces = self._prepared(number)
                yield Unit(numbers=(number,), size=sum(map(num_bytes, pieces)), kind=coding(pieces[0].path))
                tell(0, len(self._plan.kept))

    def _whole_files(self) -> dict[tuple[int, Place], list[int]]:
        """Find the files of which every episode is kept whole, and the new numbers of those."""
        if self._new_encoding:
            return {}
        numbers: dict[tuple[int, Place], list[int]] = {}
        for number, kept in enumerate(self._plan.kept):
            if self._plan.is_whole(kept):
                numbers.setdefault((kept.source, self._located(kept).place(kept.episode)), []).append(number)
        clips = [source.clips[self._key] for source in self._plan.sources]
        return {
            (source, place): found
            for (source, place), found in numbers.items()
            if [self._plan.kept[number].episode for number in found] == clips[source].episodes_of[place]
        }

    def _whole_unit(self, source: Source, place: Place, numbers: Sequence[int]) -> Unit:
        path = source.video_path(self._key, place)
        if not path.exists():
            raise DatasetError(path, "is missing. Copy it again from where the dataset came from.")
        size = path.stat().st_size
        is_mergeable = self._plan.is_compact and size < source.limit("video") / 2
        kind = coding(path) if is_mergeable else None
        stays = place if self._plan.continues and self._key not in self._plan.renames else None
        return Unit(numbers=tuple(numbers), size=size, file=path, place=stays, kind=kind)

    def _write(self, group: Group, place: Place) -> dict[int, Clip]:
        path = self._folder / path_of(self._template, place, self._plan.keys[self._key])
        numbers = [number for unit in group for number in unit.numbers]
        if file := linked(group):
            link(file, path)
            return {number: self._as_it_was(self._plan.kept[number], place) for number in numbers}
        pieces, clips, done = [], {}, 0
        for number in numbers:
            prepared = self._prepared(number)
            length = sum(piece.length for piece in prepared)
            begin, end = done / self._fps, (done + length) / self._fps
            clips[number] = Clip(place=place, from_timestamp=begin, to_timestamp=end)
            pieces += prepared
            done += length
        splice(pieces, path, self._fps)
        return clips

    def _as_it_was(self, kept: Kept, place: Place) -> Clip:
        rows, key = self._plan.sources[kept.source].rows, self._key
        begin, end = (rows[f"videos/{key}/{name}"][kept.episode].as_py() for name in ("from_timestamp", "to_timestamp"))
        return Clip(place=place, from_timestamp=begin, to_timestamp=end)

    def _prepared(self, number: int) -> list[Piece]:
        """Give the pieces to copy for a new episode, what must be encoded again done."""
        if number not in self._pieces:
            piece, folder = self._piece(number), self._work / f"{self._key}-{number}"
            if self._new_encoding:
                self._pieces[number] = [self._recoded(piece, folder)]
            else:
                self._pieces[number] = cut(piece, self._encoding(number), folder)
        return self._pieces[number]

    def _piece(self, number: int) -> Piece:
        kept = self._plan.kept[number]
        source, clips = self._plan.sources[kept.source], self._located(kept)
        path, length = source.video_path(self._key, clips.place(kept.episode)), int(clips.length[kept.episode])
        if self._plan.is_whole(kept):
            return Piece(path=path, start=int(clips.start[kept.episode]), length=length)
        if length != source.length[kept.episode]:
            what = f"holds {length} pictures of episode {kept.episode}, whose table has {source.length[kept.episode]}"
            raise DatasetError(path, f"{what} rows. The episode cannot be cut; delete it. See: etude dataset check.")
        return Piece(path=path, start=int(clips.start[kept.episode]) + kept.start, length=len(kept))

    def _recoded(self, piece: Piece, folder: Path) -> Piece:
        assert self._new_encoding
        path = folder / "0.mp4"
        recode(film_of(piece.path), piece.start, piece.stop, path, self._new_encoding)
        return replace(piece, path=path, start=0)

    def _encoding(self, number: int) -> Encoding:
        feature = self._plan.sources[self._plan.kept[number].source].features[self._key]
        return Encoding.of(feature.get("info") or feature.get("video_info") or {})

    def _located(self, kept: Kept) -> Located:
        return self._plan.sources[kept.source].clips[self._key]
