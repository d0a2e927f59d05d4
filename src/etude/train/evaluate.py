"""Open-loop error: how far a policy's chunks are from what a person did, on frames it has not seen.

A low error does not prove that the skill works, but a policy that is no better than the baselines here has learned
nothing. Only rollouts tell the success rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from etude.data.cache import FrameCache
from etude.data.dataset import Dataset, Episode
from etude.policies.loaded import LoadedPolicy
from etude.train.open_loop import HOLD_STATE, MEAN_ACTION, POLICY, measure


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
    found = measure(loaded, dataset, episodes, num_actions=num_actions, most_frames=most_frames, cache=cache)
    return OpenLoop(
        policy=found.mean(POLICY),
        hold_state=found.mean(HOLD_STATE) if HOLD_STATE in found.sums else None,
        mean_action=found.mean(MEAN_ACTION),
        frames=found.num_frames,
    )
