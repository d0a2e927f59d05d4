"""Which episodes fit the others worst, and in what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from etude.core.errors import UserError
from etude.data.commands import Commands
from etude.data.dataset import Dataset
from etude.data.quality import EpisodeQuality

FEWEST = 8
"""Episodes that must be there for one of them to be unlike the others."""
_FAR = 3.5
"""Robust standard deviations from the median at which an episode is unlike the others (Iglewicz and Hoaglin, 1993)."""
_SPREAD = 0.1
"""Least standard deviation of a logarithm: where all are alike, a tenth more or less is nothing."""
_NEAR = 0.05
"""Of a joint's range: a distance below which two poses are alike."""
_POINTS = 32
"""Of a path, at even distances along it."""
_NEIGHBOURS = 3
_MOST_COMPARED = 1000
"""Episodes that paths are compared with; of larger datasets every n-th is."""


@dataclass(frozen=True, kw_only=True)
class Outlier:
    """An episode that is unlike the others."""

    episode: int
    score: float
    """How many robust standard deviations it is away in what it is most unlike in."""
    reasons: tuple[str, ...]
    """What it is unlike in, most first."""

    def __str__(self) -> str:
        return f"Episode {self.episode} {', and '.join(self.reasons)}."


@dataclass(frozen=True)
class _Trait:
    """Something in which episodes differ: a positive number each, and words for one that has more or less of it."""

    values: np.ndarray
    more: str
    """With places for the value and the median."""
    less: str = ""
    """Empty where having less is no fault."""
    floor: float = 1e-9
    """Values below are alike."""

    def scores(self) -> np.ndarray:
        """Tell how many robust standard deviations each episode is above the median, or below it."""
        logs = np.log(np.maximum(self.values, self.floor))
        away = logs - np.median(logs)
        return away / max(1.4826 * float(np.median(np.abs(away))), _SPREAD)

    def told(self, number: int, score: float) -> str:
        """Say in what the episode differs; nothing where it does not."""
        words = self.more if score >= _FAR else self.less if score <= -_FAR else ""
        return words.format(self.values[number], float(np.median(self.values)))


def outliers(
    dataset: Dataset, found: Sequence[EpisodeQuality], errors: Mapping[int, float] | None = None
) -> list[Outlier]:
    """List the episodes that are unlike the others, most unlike first.

    Compared are length, travel, speed, shaking, where an episode begins and ends, and which way it takes; and, where
    they are given, a policy's `errors` by episode. Raises `UserError` when there are too few episodes to compare.
    """
    if len(found) < FEWEST:
        raise UserError(
            f"{dataset.root} has {len(found)} episodes; to tell which of them are unlike the others takes {FEWEST}."
        )
    traits = [*_of_quality(found), *_of_paths(dataset)]
    if errors is not None:
        traits.append(
            _Trait(
                np.array([errors[each.episode] for each in found]),
                "is learned badly: the policy's error is {0:.3g}, elsewhere {1:.3g}",
            )
        )
    scores = np.stack([trait.scores() for trait in traits])
    listed = list(_unlike(found, traits, scores))
    return sorted(listed, key=lambda each: -each.score)


def _unlike(found: Sequence[EpisodeQuality], traits: Sequence[_Trait], scores: np.ndarray) -> Iterator[Outlier]:
    for place, each in enumerate(found):
        order = np.argsort(-np.abs(scores[:, place]))
        told = [(traits[trait].told(place, scores[trait, place]), scores[trait, place]) for trait in order]
        reasons = [(text, abs(float(score))) for text, score in told if text]
        if reasons:
            yield Outlier(episode=each.episode, score=reasons[0][1], reasons=tuple(text for text, _ in reasons))


def _of_quality(found: Sequence[EpisodeQuality]) -> Iterator[_Trait]:
    seconds, travel, speed, shake = (
        np.array([getattr(each, name) for each in found]) for name in ("seconds", "travel", "speed", "shake")
    )
    yield _Trait(seconds, "takes {0:.1f} s, others {1:.1f} s", "takes only {0:.1f} s, others {1:.1f} s")
    yield _Trait(travel, "travels {0:.1f} ranges of a joint, others {1:.1f}", "travels only {0:.1f}, others {1:.1f}")
    yield _Trait(speed, "is fast: {0:.2f} ranges a second, others {1:.2f}", "is slow: {0:.2f}, others {1:.2f}")
    yield _Trait(shake, "is shaky: {0:.0%} of its travel goes to and fro, elsewhere {1:.0%}", floor=_NEAR)


def _of_paths(dataset: Dataset) -> Iterator[_Trait]:
    """Compare where episodes begin, where they end, and which way they take."""
    commands = Commands(dataset)
    ways = np.stack([along(commands.of(episode)) for episode in dataset.episodes])
    for words, poses in (("begins", ways[:, 0]), ("ends", ways[:, -1])):
        away = np.sqrt(np.square(poses - np.median(poses, axis=0)).mean(-1))
        yield _Trait(away, words + " {0:.0%} of the joints' range from where others do, these {1:.0%}", floor=_NEAR)
    yield _Trait(loneliness(ways), "goes its own way: {0:.0%} of the range from the next, others {1:.0%}", floor=_NEAR)


def along(path: np.ndarray) -> np.ndarray:
    """Give points at even distances along a path (frame, joint), so that neither speed nor pauses count."""
    steps = np.abs(np.diff(path, axis=0)).sum(-1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, way[-1], _POINTS)
    return np.stack([np.interp(at, way, joint) for joint in path.T], axis=-1)


def loneliness(ways: np.ndarray) -> np.ndarray:
    """Tell how far each way (episode, point, joint) is from the third nearest of the others (episode,)."""
    flat = ways.reshape(len(ways), -1) / np.sqrt(ways[0].size)
    others = flat[:: -(-len(flat) // _MOST_COMPARED)]
    square = np.square(flat).sum(1)[:, None] + np.square(others).sum(1) - 2 * flat @ others.T
    nearest = np.sort(np.sqrt(np.maximum(square, 0)), axis=1)
    return nearest[:, min(_NEIGHBOURS, nearest.shape[1] - 1)]  # the nearest of all is the episode itself
