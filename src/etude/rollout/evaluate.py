"""Scoring an agent by rollouts: a success rate is worth nothing without its n and its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.frame import images
from etude.envs.env import Env
from etude.rollout import latency
from etude.rollout.agents import Agent
from etude.rollout.loop import rollout
from etude.rollout.metrics import MetricsSink, Result
from etude.rollout.sinks import Sink, VideoSink
from etude.rollout.statistics import wilson

__all__ = ["Cast", "Job", "Progress", "Score", "evaluate", "play", "wilson"]

Progress = Callable[[int, int], object]
"""Is told how many rollouts are done, and how many of them succeeded."""
MEANS = ("max_reward", "sum_reward", "time_to_success_s", "action_jerk", "state_jerk", "spectral_arc", "ticks")
_MOST_TICKS = 1000
"""For an environment that sets no limit itself."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who acts, and where."""

    env: Env
    agent: Agent
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else moves the result, as JSON; stored beside it."""
    sinks: Sequence[Sink] = ()
    """Who else watches its rollouts."""
    leaves: Callable[[], Any] = lambda: None
    """Gives what the last rollout leaves besides its result; it may have to go to another process."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One rollout that is to be done."""

    index: int
    seed: int
    max_ticks: int | None = None
    """None leaves the limit to the environment."""
    film: Path | None = None
    """The file to film it into."""
    only_failure: bool = False
    """Whether the film is wanted only if it fails."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """What an evaluation found."""

    results: tuple[Result, ...]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What of the cast moved it."""

    @property
    def n(self) -> int:
        """How many rollouts."""
        return len(self.results)

    @property
    def successes(self) -> int:
        """How many succeeded."""
        return sum(result.success for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """Give the rate, n, the ends of the 95 % interval, means of all measures, and the policy's latency."""
        low, high = wilson(self.successes, self.n)
        rate = self.successes / self.n if self.n else 0.0
        means = {name: self.mean(name) for name in MEANS}
        ticks = sum(result.ticks for result in self.results)
        clipped = sum(result.clipped_ticks for result in self.results) / max(ticks, 1)
        return {
            "success_rate": rate, "n": self.n, "low": round(low, 4), "high": round(high, 4),
            **means, "clipped_share": clipped, "latency": latency.summary(self.latencies_s),
        }  # fmt: skip

    def mean(self, name: str) -> float | None:
        """Give the mean of a measure over the rollouts that have it; none when none has."""
        values = [value for result in self.results if (value := getattr(result, name)) is not None]
        return float(np.mean(values)) if values else None

    @property
    def latencies_s(self) -> list[float]:
        """How long the policy took for each chunk [s]."""
        return [time for result in self.results for time in result.latencies_s]

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
    max_ticks: int | None = None,
    progress: Progress = lambda *_: None,
) -> Score:
    """Run `agent` once for each seed, as fast as the environment allows, and measure each rollout."""
    cast, results = Cast(env=env, agent=agent), []
    for index, seed in enumerate(seeds):
        results.append(play(cast, Job(index=index, seed=seed, max_ticks=max_ticks), sinks))
        progress(len(results), sum(result.success for result in results))
    return Score(results=tuple(results))


def play(cast: Cast, job: Job, sinks: Sequence[Sink] = ()) -> Result:
    """Do one rollout and measure it; the same job gives the same result in every process."""
    measures = MetricsSink(cast.env.hz)
    watching = [*cast.sinks, *sinks, measures, *_film(cast.env, job)]
    max_ticks = job.max_ticks or getattr(cast.env, "max_ticks", None) or _MOST_TICKS
    outcome = rollout(cast.env, cast.agent, watching, max_ticks=max_ticks, seed=job.seed)
    # Only who plays chunks knows of latencies and of ticks without an action.
    took, held = getattr(cast.agent, "latencies_s", ()), getattr(cast.agent, "num_held", 0)
    return measures.result(outcome, tuple(took), held)


def _film(env: Env, job: Job) -> list[VideoSink]:
    """Film what the cameras see; without cameras, what the environment draws for onlookers, if it can."""
    render = getattr(env, "render", None)
    if job.film is None or (render is None and not images(env.observation)):
        return []
    picture = None if images(env.observation) else render
    return [VideoSink(job.film, env.hz, picture=picture, only_failures=job.only_failure)]
