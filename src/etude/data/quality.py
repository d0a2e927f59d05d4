"""How well each episode was shown: how much of it is hesitation, how shaky the hand was, how late the frames came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from etude.core.frame import ACTION
from etude.data.check_pictures import runs
from etude.data.commands import Commands
from etude.data.dataset import Dataset
from etude.data.pauses import pauses_among
from etude.data.timing import IS_LATE

_SMOOTH_S = 0.3
"""What goes to and fro within so long is no motion that somebody means [s]."""
_NAMED = 5
_MUCH = 0.02
"""From what share of frames on pauses are worth a word."""


@dataclass(frozen=True, kw_only=True)
class EpisodeQuality:
    """How one episode was shown."""

    episode: int
    seconds: float
    pauses: int
    """How often the command stayed as it was."""
    idle: float
    """Share of frames in which it did."""
    shake: float
    """Share of what the command travels that goes to and fro: 0 is a steady hand."""
    late: int
    """Frames that came late; 0 where that was not noted."""
    travel: float
    """What the command travels, in ranges of a joint, averaged over joints."""

    @property
    def speed(self) -> float:
        """What the command travels in a second that is no pause."""
        return self.travel / max(self.seconds * (1 - self.idle), 1e-9)


def qualities(dataset: Dataset) -> Iterator[EpisodeQuality]:
    """Look at every episode; raise `ConfigError` where there are no actions to judge by."""
    commands, late = Commands(dataset), dataset.timing().get(IS_LATE)
    for number, episode in enumerate(dataset.episodes):
        path = commands.of(episode)
        is_pause = pauses_among(path, dataset.fps)
        yield EpisodeQuality(
            episode=number,
            seconds=len(path) / dataset.fps,
            pauses=len(runs(is_pause)),
            idle=float(is_pause.mean()) if len(path) else 0.0,
            shake=shake(path, dataset.fps),
            late=int(late[episode.start : episode.stop].sum()) if late is not None else 0,
            travel=travel(path),
        )


def travel(path: np.ndarray) -> float:
    """Give how long a path (frame, joint) is, averaged over joints."""
    return float(np.abs(np.diff(path, axis=0)).sum(0).mean()) if len(path) else 0.0


def shake(path: np.ndarray, fps: int) -> float:
    """Give the share of a path (frame, joint) that goes to and fro: what it loses when it is smoothed over 0.3 s."""
    half = max(1, round(_SMOOTH_S * fps / 2))
    if len(path) <= 2 * half + 1:
        return 0.0
    sums = np.cumsum(np.concatenate([np.zeros((1, path.shape[1])), path]), axis=0)
    smooth = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    whole = travel(path[half:-half])
    return 1 - min(travel(smooth) / whole, 1.0) if whole > 0 else 0.0


def quality_notes(dataset: Dataset) -> Iterator[str]:
    """Tell of pauses, where there are many."""
    if ACTION not in dataset.specs or not dataset.episodes.num_frames:
        return
    yield from pause_notes(dataset, list(qualities(dataset)))


def pause_notes(dataset: Dataset, found: Sequence[EpisodeQuality]) -> Iterator[str]:
    """Tell how much of the episodes are pauses, and what to do about it."""
    frames = round(sum(each.idle * each.seconds for each in found) * dataset.fps)
    share = frames / max(dataset.episodes.num_frames, 1)
    if share < _MUCH:
        return
    worst = sorted(found, key=lambda each: -each.idle)[:_NAMED]
    named = ", ".join(f"{each.episode} ({each.idle:.0%})" for each in worst if each.idle)
    count = sum(each.pauses for each in found)
    yield (
        f"In {frames} of {dataset.episodes.num_frames} frames ({share:.1%}) the command stays as it was, in "
        f"{count} {'pause' if count == 1 else 'pauses'}; most in episode {named}. A policy copies that: "
        "etude train --drop_pauses leaves such frames out."
    )
