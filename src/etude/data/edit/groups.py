"""Which episodes share a file of the new version."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from etude.data.formats.lerobot_v3.layout import Place, after


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Episodes that stay together: one alone, or all of a file that stays as it is."""

    numbers: tuple[int, ...]
    """Their new numbers."""
    size: int
    """Bytes, about."""
    file: Path | None = None
    """The file, where the unit is all of it, unchanged."""
    place: Place | None = None
    """Where that file is in a version that this one continues."""
    kind: Hashable = None
    """Only units of one kind can share a file."""


Group = Sequence[Unit]
"""The units that make up one file."""


def grouped(units: Iterable[Unit], limit: int, *, is_compact: bool) -> Iterator[Group]:
    """Put units into files of at most `limit` bytes, in their order.

    A whole file stays one. To compact means to bring those together that are less than half full.
    """
    group: list[Unit] = []
    for unit in units:
        stays = unit.file is not None and not (is_compact and unit.size < limit / 2)
        is_full = group and sum(each.size for each in group) + unit.size >= limit
        if group and (stays or is_full or unit.kind != group[0].kind):
            yield group
            group = []
        if stays:
            yield [unit]
        else:
            group.append(unit)
    if group:
        yield group


def linked(group: Group) -> Path | None:
    """Give the file that is all of a group, if there is one."""
    return group[0].file if len(group) == 1 else None


def placed(groups: Sequence[Group], used: Iterable[Place], chunks_size: int, *, in_order: bool) -> list[Place]:
    """Give each group its place: files that stay keep theirs, new ones come after all in `used`.

    With `in_order` places ascend, so what follows a new file is new as well.
    """
    places: list[Place] = []
    last, has_moved = max(used, default=None), False
    for group in groups:
        place = group[0].place if linked(group) else None
        if place is None or (in_order and has_moved):
            place = last = after([] if last is None else [last], chunks_size)
            has_moved = True
        places.append(place)
    return places
