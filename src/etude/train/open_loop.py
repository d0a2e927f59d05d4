"""How far a policy's chunks are from what a person did, by joint and by how far ahead an action lies."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from etude.core.errors import ConfigError
from etude.core.frame import ACTION, STATE
from etude.data.cache import FrameCache
from etude.data.dataset import Dataset, Episode
from etude.data.windows import Windows
from etude.policies.loaded import LoadedPolicy
from etude.policies.policy import NOISE
from etude.train.samples import rows_of

BATCH_SIZE, TIMED_CALLS = 64, 20
POLICY, HOLD_STATE, MEAN_ACTION = "policy", "hold_state", "mean_action"


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Mean absolute errors of several guesses, each (time, joint), in the dataset's units.

    The guesses are the policy's, staying where the robot is (where state and action correspond), and always the
    dataset's mean action. Times that no demonstration reaches are left out of means.
    """

    sums: Mapping[str, np.ndarray]
    """Per guess, errors added up."""
    counts: np.ndarray
    """Actions at each time (time,)."""
    num_frames: int

    def by_joint(self, guess: str) -> np.ndarray:
        """Give the errors over all times (joint,)."""
        return self.sums[guess].sum(axis=0) / self.counts.sum()

    def at(self, guess: str, ahead: int) -> np.ndarray:
        """Give the errors of the actions `ahead` ticks from now (joint,)."""
        return self.sums[guess][ahead] / max(int(self.counts[ahead]), 1)

    def mean(self, guess: str) -> float:
        """Give the error over all times and joints."""
        return float(self.by_joint(guess).mean())

    @property
    def num_ahead(self) -> int:
        """Times that some demonstration reaches."""
        return int(np.count_nonzero(self.counts))

    def to_json(self) -> dict[str, Any]:
        """Give means, and the errors by joint and by time."""
        guesses = {
            name: {
                "mean": self.mean(name),
                "by_joint": self.by_joint(name).tolist(),
                "by_time": [float(self.at(name, ahead).mean()) for ahead in range(self.num_ahead)],
            }
            for name in self.sums
        }
        return {"frames": self.num_frames, **guesses}


def measure(
    loaded: LoadedPolicy,
    dataset: Dataset,
    episodes: Sequence[Episode],
    *,
    num_actions: int | None = None,
    most_frames: int = 2048,
    cache: FrameCache | None = None,
) -> Errors:
    """Compare the first `num_actions` of each chunk, or all of it, with the demonstration.

    At most `most_frames` evenly spaced frames of `episodes` are looked at; their pictures come out of `cache` where
    they are there. A policy that samples gets the same noise for a frame in every measurement.
    """
    rows = rows_of(episodes)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(most_frames, len(rows))).astype(int))]
    times = num_actions or loaded.chunk_size
    if times > loaded.chunk_size:
        raise ConfigError(f"num_actions = {times} is more than the chunk has.")
    windows = _windows(loaded, dataset, cache)
    sums: dict[str, np.ndarray] = {}
    counts = np.zeros(times, np.int64)
    for start in range(0, len(rows), BATCH_SIZE):
        part = rows[start : start + BATCH_SIZE]
        errors, is_there = _errors(loaded, dataset, windows.batch(part), part, times)
        counts += is_there.sum(axis=0)
        for name, error in errors.items():
            sums[name] = sums.get(name, 0.0) + np.where(is_there[..., None], error, 0.0).sum(axis=0, dtype=np.float64)
    return Errors(sums=sums, counts=counts, num_frames=len(rows))


def latencies_s(loaded: LoadedPolicy, dataset: Dataset, row: int = 0) -> tuple[float, ...]:
    """Time single chunks for a frame of `dataset` [s]; the first call, which sets things up, does not count."""
    rows, took = np.array([row]), []
    seen = _seen(loaded, _windows(loaded, dataset, None).batch(rows), rows)
    for _ in range(TIMED_CALLS + 1):
        began = time.perf_counter()
        loaded.act_batch(seen)
        took.append(time.perf_counter() - began)
    return tuple(took[1:])


def _windows(loaded: LoadedPolicy, dataset: Dataset, cache: FrameCache | None) -> Windows:
    keys = [*loaded.observation, ACTION]
    return Windows(dataset, loaded.config.window, keys, image_size=loaded.config.image_size, cache=cache)


def _errors(
    loaded: LoadedPolicy, dataset: Dataset, batch: Mapping[str, np.ndarray], rows: np.ndarray, times: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Give each guess's absolute errors (frame, time, joint), and which of the actions exist (frame, time)."""
    ahead = slice(loaded.config.window.offsets[ACTION].index(0), None)
    truth, is_there = (part[:, ahead][:, :times] for part in (batch[ACTION], ~batch[f"{ACTION}_is_pad"]))
    guesses = {
        POLICY: loaded.act_batch(_seen(loaded, batch, rows))[:, :times],
        MEAN_ACTION: dataset.stats[ACTION].mean,
    }
    if STATE in batch and batch[STATE].shape[-1] == truth.shape[-1]:
        guesses[HOLD_STATE] = batch[STATE][:, -1:] if loaded.past else batch[STATE][:, None]
    return {name: np.abs(guess - truth) for name, guess in guesses.items()}, is_there


def _seen(loaded: LoadedPolicy, batch: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Give what the policy is asked with: its part of the batch, and for each row noise of its own."""
    noise = [loaded.example_noise(np.random.default_rng(int(row))) for row in rows]
    drawn = {NOISE: np.stack([one[NOISE] for one in noise])} if noise[0] else {}
    return {key: batch[key] for key in loaded.observation} | drawn
