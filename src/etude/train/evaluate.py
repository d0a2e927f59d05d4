"""Open-loop error: how far a policy's chunks are from what a person did, on frames it has not seen.

A low error does not prove that the skill works, but a policy that is no better than the baselines here has learned
nothing. Only rollouts tell the success rate.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from etude.train.open_loop import HOLD_STATE, MEAN_ACTION, POLICY, Errors


@dataclass(frozen=True, kw_only=True)
class OpenLoop:
    """Mean absolute errors over frames, times and joints, in the dataset's units."""

    policy: float
    hold_state: float | None
    """Of staying where the robot is; none when state and action do not correspond."""
    mean_action: float
    """Of always giving the dataset's mean action."""
    frames: int

    @classmethod
    def of(cls, found: Errors) -> OpenLoop:
        """Give the means of what was measured."""
        return cls(
            policy=found.mean(POLICY),
            hold_state=found.mean(HOLD_STATE) if HOLD_STATE in found.sums else None,
            mean_action=found.mean(MEAN_ACTION),
            frames=found.num_frames,
        )

    def to_json(self) -> dict[str, float | None]:
        """Give the values for an event."""
        return asdict(self)
