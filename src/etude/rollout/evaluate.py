"""Scoring an agent by rollouts: a success rate is worth nothing without its n and its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etude.envs.env import Env
from etude.rollout.agents import Agent
from etude.rollout.loop import Outcome, rollout
from etude.rollout.sinks import Sink

Z_95 = 1.959963984540054


def wilson(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Give the interval of a success probability after `successes` of `n` (Wilson, 1927), 95 % by default."""
    if n == 0:
        return 0.0, 1.0
    rate = successes / n
    centre = rate + z * z / (2 * n)
    margin = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = (centre - margin) / scale if successes else 0.0
    high = (centre + margin) / scale if successes < n else 1.0
    return low, high


@dataclass(frozen=True, kw_only=True)
class Score:
    """What an evaluation found."""

    outcomes: tuple[Outcome, ...]

    @property
    def n(self) -> int:
        """How many rollouts."""
        return len(self.outcomes)

    @property
    def successes(self) -> int:
        """How many succeeded."""
        return sum(outcome.success for outcome in self.outcomes)

    def to_json(self) -> dict[str, float]:
        """Give `success_rate` with `n` and the 95 % Wilson interval `low` to `high`."""
        low, high = wilson(self.successes, self.n)
        rate = self.successes / self.n if self.n else 0.0
        return {"success_rate": rate, "n": self.n, "low": round(low, 4), "high": round(high, 4)}

    def __str__(self) -> str:
        low, high = wilson(self.successes, self.n)
        share = f"{100 * self.successes / max(self.n, 1):.0f} %"
        return f"{self.successes} of {self.n} succeeded: {share} [{100 * low:.0f} to {100 * high:.0f} at 95 %]"


def evaluate(
    env: Env,
    agent: Agent,
    sinks: Sequence[Sink] = (),
    *,
    seeds: Sequence[int],
    max_ticks: int,
    progress: Callable[[int, int], object] = lambda *_: None,
) -> Score:
    """Run `agent` once for each seed, as fast as the environment allows, and count its successes."""
    outcomes: list[Outcome] = []
    for seed in seeds:
        outcomes.append(rollout(env, agent, sinks, max_ticks=max_ticks, seed=seed))
        progress(len(outcomes), sum(outcome.success for outcome in outcomes))
    return Score(outcomes=tuple(outcomes))
