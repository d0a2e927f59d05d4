"""What may be worth knowing about a recording and is no fault of its files: late frames, standing still, drafts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from etude.core.frame import ACTION, STATE
from etude.core.stats import Stats
from etude.data.check_pictures import runs
from etude.data.dataset import Dataset
from etude.data.draft import drafts
from etude.data.pauses import STILL
from etude.data.remedy import ranges
from etude.data.statistics import row_chunks
from etude.data.timing import IS_LATE, REPEATED, TIME, TROUBLE

_STILL_S = 2.0
"""From how long on standing still is worth a word [s]."""
_RATE_OFF = 0.05
"""How far the real rate may be from the stored one before it is worth a word."""
_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class TimingFacts:
    """What was noted of the real times of a dataset's frames."""

    timed: int
    """Frames whose time was noted."""
    late: int
    """Frames before which the control loop was late."""
    repeated: Mapping[str, int]
    """Per camera, frames that show the picture of the frame before."""
    rate_hz: float
    """How fast frames really came, on average; NaN when no time was noted."""
    late_episodes: tuple[int, ...]
    """Episodes with late frames, those with most first."""
    troubled: int = 0
    """Frames before which something went wrong: a motor did not answer, a cable was pulled."""
    troubled_episodes: tuple[int, ...] = ()
    """Episodes with such frames, those with most first."""
    trouble: str = ""
    """What went wrong, of the first such frame."""


def timing_facts(dataset: Dataset) -> TimingFacts | None:
    """Sum up the real times; none when none were noted."""
    timing = dataset.timing()
    if not timing or not dataset.episodes.num_frames:
        return None
    time, late = timing[TIME], timing[IS_LATE].astype(bool)
    episode = dataset.episodes.of(np.arange(len(time)))
    steps = np.diff(time)[(np.diff(episode) == 0) & np.isfinite(np.diff(time))]
    trouble = timing.get(TROUBLE, np.full(len(time), ""))
    troubled = trouble != ""
    return TimingFacts(
        timed=int(np.isfinite(time).sum()),
        late=int(late.sum()),
        repeated={
            name.removesuffix(REPEATED): int(flags.sum()) for name, flags in timing.items() if name.endswith(REPEATED)
        },
        rate_hz=float(1 / steps.mean()) if len(steps) and steps.mean() > 0 else float("nan"),
        late_episodes=_most_often(episode[late]),
        troubled=int(troubled.sum()),
        troubled_episodes=_most_often(episode[troubled]),
        trouble=str(trouble[troubled][0]) if troubled.any() else "",
    )


def timing_notes(dataset: Dataset) -> Iterator[str]:
    """Tell of late and repeated frames, and of a real rate that is not the stored one."""
    facts = timing_facts(dataset)
    if facts is None:
        return
    if facts.late:
        most = ranges(sorted(facts.late_episodes[:_NAMED]))
        yield (
            f"{facts.late} of {facts.timed} frames came late (the computer was too slow for the control loop), most in "
            f"episode {most}."
        )
    if facts.troubled:
        where = ranges(sorted(facts.troubled_episodes[:_NAMED]))
        yield f"Something went wrong at {facts.troubled} frames, most in episode {where}, such as: {facts.trouble}"
    for key, count in facts.repeated.items():
        if count:
            yield f"'{key}' repeats a picture in {count} of {facts.timed} frames: the camera is slower than the loop."
    if abs(facts.rate_hz / dataset.fps - 1) > _RATE_OFF:
        yield f"Frames were really taken at {facts.rate_hz:.1f} Hz, but are stamped {dataset.fps} Hz."


def motion_notes(dataset: Dataset, stats: Mapping[str, Stats]) -> Iterator[str]:
    """Tell of episodes in which neither state nor action moves for long; `stats` tell how far they move at all."""
    watched = {key: (stats[key].max - stats[key].min).reshape(-1) for key in (STATE, ACTION) if key in stats}
    still: list[tuple[float, int, int]] = []
    for rows in row_chunks(dataset) if watched else ():
        still += _still(dataset, rows, watched)
    still.sort(reverse=True)
    for seconds, number, first in still[:_NAMED]:
        yield f"Episode {number} stands still for {seconds:.1f} s, from frame {first} on."
    if len(still) > _NAMED:
        yield f"{len(still) - _NAMED} more episodes stand still for {_STILL_S:.0f} s or longer."
    if still:
        yield f"To cut off what is before and after the motion: etude dataset trim {dataset.root} --idle"


def draft_notes(dataset: Dataset) -> Iterator[str]:
    """Tell of recordings that broke off."""
    for draft in drafts(dataset.root):
        yield (
            f"A recording begun {draft.started} broke off, if it does not still go on. Keep or drop what there is of "
            f"it: etude dataset recover {dataset.root}"
        )


def _most_often(episodes: np.ndarray) -> tuple[int, ...]:
    """Give the numbers that occur, the most frequent first."""
    numbers, counts = np.unique(episodes, return_counts=True)
    return tuple(numbers[np.argsort(-counts, kind="stable")].tolist())


def _still(dataset: Dataset, rows: np.ndarray, extents: Mapping[str, np.ndarray]) -> Iterator[tuple[float, int, int]]:
    """Yield for how long [s] an episode stands still within `rows`, which episode, and from which of its frames on."""
    is_still = np.ones(len(rows), bool)
    for key, extent in extents.items():
        values = np.asarray(dataset.take(key, rows), np.float64).reshape(len(rows), -1)
        is_still[1:] &= ~(np.abs(np.diff(values, axis=0)) > STILL * extent).any(1)
    episode = dataset.episodes.of(rows)
    is_still[np.flatnonzero(np.diff(episode, prepend=-1))] = False
    for first, length in runs(is_still):
        if length >= _STILL_S * dataset.fps:
            number = int(episode[first])
            yield length / dataset.fps, number, int(rows[first] - dataset.episodes.start[number])
