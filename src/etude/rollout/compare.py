"""Whether one evaluation is really better than another, or luck would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from etude.core.errors import UserError
from etude.rollout.metrics import Result
from etude.rollout.report import Report
from etude.rollout.statistics import (
    Pairs,
    fisher,
    holm,
    mcnemar,
    mean_difference,
    newcombe,
    newcombe_paired,
    rollouts_needed,
    scenes_needed,
)

ALPHA = 0.05
"""Chance at which a difference counts as real though there is none."""
METRICS = ("max_reward", "time_to_success_s", "action_jerk", "state_jerk")
_FEWEST = 5
"""Rollouts below which the interval of a mean says nothing."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How a measure of the second differs from the first's, on average."""

    first: float
    second: float
    difference: float
    low: float
    high: float
    """Ends of the 95 % interval."""
    n: int
    """Scenes that both have it in, or rollouts of the smaller evaluation."""

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves out that there is none."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The second evaluation against the first."""

    first: str
    second: str
    is_paired: bool
    """Whether both ran in the same scenes, so that scenes can be compared one by one."""
    num_left_out: int
    """Rollouts in scenes that the other did not run in."""
    n: tuple[int, int]
    success: Difference
    p: float
    """How often chance alone would make so large a difference: McNemar's exact test for pairs, Fisher's otherwise."""
    num_more: int | None
    """Rollouts of each that are still needed to show a difference of this size, four times of five; none when nothing
    is to be shown."""
    metrics: Mapping[str, Difference]

    @property
    def is_real(self) -> bool:
        """Whether chance is not a likely explanation."""
        return self.p < ALPHA

    def to_json(self) -> dict[str, Any]:
        """Give the values as JSON."""
        return asdict(self) | {"is_real": self.is_real, "verdict": self.verdict}

    @property
    def verdict(self) -> str:
        """Say in a sentence or two whether the difference is real."""
        test = "McNemar's exact test" if self.is_paired else "Fisher's exact test"
        points, low, high = (100 * value for value in (self.success.difference, self.success.low, self.success.high))
        where = f"in the same {self.n[0]} scenes" if self.is_paired else "in different scenes"
        seen = f"{points:+.0f} points [{low:+.0f} to {high:+.0f} at 95 %] {where}, p = {_probability(self.p)} ({test})"
        if self.is_real:
            better = self.second if points > 0 else self.first
            return f"The difference is real: {better} succeeds more often; {self.second} has {seen}."
        return f"No difference is shown: {self.second} has {seen}. {self._advice}"

    @property
    def _advice(self) -> str:
        if not self.success.difference:
            return "More rollouts would only narrow the interval."
        if not self.num_more:
            return (
                "There are rollouts enough to show a difference of this size most times; this time it did not come out."
            )
        kind = "scenes for both" if self.is_paired else "rollouts of each"
        return f"If it is really that large, about {self.num_more} more {kind} would show it (80 % power)."


def compare(names: tuple[str, str], first: Report, second: Report) -> Comparison:
    """Compare scene by scene where both ran in the same ones, as wholes where they share none."""
    ones, others = list(first.score.results), list(second.score.results)
    if not ones or not others:
        raise UserError(f"{names[bool(ones)]} has no rollouts. Run `etude eval` again.")
    total = len(ones) + len(others)
    is_paired = bool(shared := _shared(ones, others))
    if is_paired:
        ones, others = ([by_seed[seed] for seed in shared] for by_seed in map(_by_seed, (ones, others)))
    metrics = {name: _means(ones, others, name, is_paired=is_paired) for name in METRICS}
    success, p, num_more = (_paired if is_paired else _unpaired)(ones, others)
    return Comparison(
        first=names[0],
        second=names[1],
        is_paired=is_paired,
        num_left_out=total - len(ones) - len(others),
        n=(len(ones), len(others)),
        success=success,
        p=p,
        num_more=num_more,
        metrics={name: found for name, found in metrics.items() if found},
    )


def compare_all(reports: Mapping[str, Report]) -> list[Comparison]:
    """Compare each with the first; probabilities are adjusted for being several (Holm)."""
    (name, first), *others = reports.items()
    found = [compare((name, other), first, report) for other, report in others]
    adjusted = holm([one.p for one in found])
    return [replace(one, p=p) for one, p in zip(found, adjusted, strict=True)]


def _by_seed(results: Sequence[Result]) -> dict[int, Result]:
    return {result.seed: result for result in results}


def _shared(ones: Sequence[Result], others: Sequence[Result]) -> list[int]:
    theirs = _by_seed(others)
    return [seed for seed in _by_seed(ones) if seed in theirs]


def _paired(ones: Sequence[Result], others: Sequence[Result]) -> tuple[Difference, float, int | None]:
    pairs = Pairs.of([one.success for one in ones], [other.success for other in others])
    first, second = pairs.successes
    difference = _rates(first, pairs.n, second, pairs.n, newcombe_paired(pairs))
    needed = scenes_needed(pairs)
    return difference, mcnemar(pairs), None if needed is None else max(needed - pairs.n, 0)


def _unpaired(ones: Sequence[Result], others: Sequence[Result]) -> tuple[Difference, float, int | None]:
    first, second = (sum(result.success for result in results) for results in (ones, others))
    counts = (first, len(ones), second, len(others))
    difference, needed = _rates(*counts, newcombe(*counts)), rollouts_needed(first / len(ones), second / len(others))
    return difference, fisher(*counts), None if needed is None else max(needed - min(len(ones), len(others)), 0)


def _rates(first: int, n_first: int, second: int, n_second: int, interval: tuple[float, float]) -> Difference:
    rates = first / n_first, second / n_second
    return Difference(
        first=rates[0],
        second=rates[1],
        difference=rates[1] - rates[0],
        low=interval[0],
        high=interval[1],
        n=min(n_first, n_second),
    )


def _means(ones: Sequence[Result], others: Sequence[Result], name: str, *, is_paired: bool) -> Difference | None:
    """Compare the means of a measure; none where too few have it."""
    first, second = ([getattr(result, name) for result in results] for results in (ones, others))
    if is_paired:
        both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
        first, second = [a for a, _ in both], [b for _, b in both]
    first, second = (np.array([value for value in values if value is not None]) for values in (first, second))
    if min(len(first), len(second)) < _FEWEST:
        return None
    difference, low, high = mean_difference(first, second, is_paired=is_paired)
    return Difference(
        first=float(first.mean()),
        second=float(second.mean()),
        difference=difference,
        low=low,
        high=high,
        n=min(len(first), len(second)),
    )


def _probability(p: float) -> str:
    return "less than 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
