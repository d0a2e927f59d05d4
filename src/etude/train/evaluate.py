"""Open-loop error: how far a policy's chunks are from what a person did, on frames it has not seen.

A low error does not prove that the skill works, but a policy that is no better than the baselines here has learned
nothing. Only rollouts tell the success rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from etude.core.errors import ConfigError
from etude.core.frame import ACTION, STATE
from etude.data.cache import FrameCache
from etude.data.dataset import Dataset, Episode
from etude.data.windows import Windows
from etude.policies.loaded import LoadedPolicy
from etude.train.samples import rows_of

BATCH_SIZE = 64


@dataclass(frozen=True, kw_only=True)
class OpenLoop:
    """Mean absolute errors over frames, times and joints, in the dataset's units."""

    policy: float
    hold_state: float | None
    """Of staying where the robot is; none when state and action do not correspond."""
    mean_action: float
    """Of always giving the dataset's mean action."""
    frames: int

    def to_json(self) -> dict[str, float | None]:
        """Give the values for an event."""
        return asdict(self)


def open_loop_error(
    loaded: LoadedPolicy,
    dataset: Dataset,
    episodes: Sequence[Episode],
    *,
    num_actions: int | None = None,
    most_frames: int = 2048,
    cache: FrameCache | None = None,
) -> OpenLoop:
    """Compare the first `num_actions` of each chunk, or all of it, with the demonstration.

    At most `most_frames` evenly spaced frames of `episodes` are looked at; their pictures come out of `cache` where
    they are there.
    """
    rows = rows_of(episodes)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(most_frames, len(rows))).astype(int))]
    chunk_size = _num_ahead(loaded)
    times = num_actions or chunk_size
    if times > chunk_size:
        raise ConfigError(f"num_actions = {times} is more than the chunk has.")
    keys = [*loaded.observation, ACTION]
    windows = Windows(dataset, loaded.config.window, keys, image_size=loaded.config.image_size, cache=cache)
    errors = [_errors(loaded, dataset, windows.batch(part), times) for part in _parts(rows)]
    totals = {name: np.concatenate([one[name] for one in errors]) for name in errors[0]}
    means = {name: float(values.mean()) for name, values in totals.items()}
    return OpenLoop(
        policy=means["policy"],
        hold_state=means.get("hold_state"),
        mean_action=means["mean_action"],
        frames=len(rows),
    )


def _errors(loaded: LoadedPolicy, dataset: Dataset, batch: dict[str, np.ndarray], times: int) -> dict[str, np.ndarray]:
    """Give each guess's absolute errors over the actions that exist: (valid, action)."""
    ahead = slice(-_num_ahead(loaded), None)
    chunk = loaded.act_batch({key: batch[key] for key in loaded.observation})[:, :times]
    # A policy may learn from actions beyond the chunk that it gives.
    truth, valid = (part[:, ahead][:, : chunk.shape[1]] for part in (batch[ACTION], ~batch[f"{ACTION}_is_pad"]))
    guesses = {"policy": chunk, "mean_action": dataset.stats[ACTION].mean}
    if STATE in batch and batch[STATE].shape[-1] == truth.shape[-1]:
        guesses["hold_state"] = batch[STATE][:, -1:] if loaded.past else batch[STATE][:, None]
    return {name: np.abs(guess - truth)[valid] for name, guess in guesses.items()}


def _num_ahead(loaded: LoadedPolicy) -> int:
    """Count the actions of a chunk from this frame's on; those before it are over."""
    return sum(offset >= 0 for offset in loaded.config.window.offsets[ACTION])


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]
