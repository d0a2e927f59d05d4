"""What a policy learns in: an arm's joints, or the place of its hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etude.core.errors import ConfigError
from etude.core.frame import ACTION, STATE
from etude.core.spec import Spec, Specs
from etude.transforms.pipeline import Pipeline

if TYPE_CHECKING:
    from etude.hardware.kinematics.transforms import HandFromJoints


@dataclass(frozen=True, kw_only=True)
class Space:
    """What a policy sees and does, and how that is told apart from what the robot gives and gets."""

    observation: Specs
    action: Spec
    hand: HandFromJoints | None = None
    """What tells joints by the hand; none where the policy learns joints."""

    def around(self, inner: Pipeline) -> Pipeline:
        """Let a pipeline made for this space be fed with what the robot gives, and give what the robot gets."""
        if self.hand is None:
            return inner
        from etude.hardware.kinematics.transforms import in_hand_space  # noqa: PLC0415  few learn so; it imports MuJoCo

        return in_hand_space(inner, self.hand)


def learned_in(body: str, observation: Specs, action: Spec, *, is_in_degrees: bool = True) -> Space:
    """Give the space of the hand of `body`, or that of the joints where it is empty.

    Raises `ConfigError` unless state and action are the joints of that arm, in degrees.
    """
    if not body:
        return Space(observation=observation, action=action)
    if not is_in_degrees:
        raise ConfigError(f"--hand={body} needs joints in degrees, and the dataset tells them in -100 to 100.")
    from etude.hardware.kinematics.transforms import HandFromJoints  # noqa: PLC0415  few learn so; it imports MuJoCo

    if STATE not in observation:
        raise ConfigError(
            f"--hand needs '{STATE}', from which the arm's pose is told; there is {', '.join(observation)}."
        )
    hand = HandFromJoints(body=body)
    for key, spec in ((STATE, observation[STATE]), (ACTION, action)):
        if spec.shape != (hand.num_joints,):
            named = ", ".join(spec.names) or "unnamed"
            raise ConfigError(f"--hand={body} has {hand.num_joints} joints; '{key}' is {spec}: {named}.")
    told = hand.named({**observation, ACTION: action})
    return Space(observation={key: told[key] for key in observation}, action=told[ACTION], hand=hand)
