"""Actions as seen from where the robot is now: a network learns "a little to the left" sooner than "at 37 degrees"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from etude.core.errors import ConfigError
from etude.core.frame import ACTION, STATE
from etude.core.spec import Spec
from etude.transforms.arrays import Array, Values


@dataclass(frozen=True, kw_only=True)
class RelativeActions:
    """Subtract the state from each action of a chunk, for the action elements `joints`.

    The state is that of the frame the chunk starts at, in the same units as the action; where a policy looks back, and
    the state has an axis of time as well, it is the last.
    """

    joints: tuple[int, ...]
    """Elements of the action to treat so."""
    states: tuple[int, ...]
    """For each of them, the element of the state to subtract."""

    @classmethod
    def between(cls, state: Spec, action: Spec, *, exclude: Sequence[str]) -> RelativeActions:
        """Pair each joint of `action` with the state of its name, but for joints with a word of `exclude` in theirs.

        Without names, elements pair up by position. Raises `ConfigError` when a joint has no state.
        """
        names = action.names or _numbered(action)
        known = {name: index for index, name in enumerate(state.names or _numbered(state))}
        joints = [i for i, name in enumerate(names) if not any(word.lower() in name.lower() for word in exclude)]
        strange = [names[i] for i in joints if names[i] not in known]
        if strange:
            raise ConfigError(
                f"Relative actions need a state for each joint, and {', '.join(strange)} has none among "
                f"{', '.join(known)}. Exclude it, or use absolute actions."
            )
        return cls(joints=tuple(joints), states=tuple(known[names[i]] for i in joints))

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with relative actions (..., time, joint)."""
        return _shift(frame, self.joints, self.states, sign=-1)

    def inverse(self) -> AbsoluteActions:
        """Give the transform that undoes this one."""
        return AbsoluteActions(joints=self.joints, states=self.states)


@dataclass(frozen=True, kw_only=True)
class AbsoluteActions:
    """Add the state to each action of a chunk: the inverse of `RelativeActions`."""

    joints: tuple[int, ...]
    states: tuple[int, ...]

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with absolute actions (..., time, joint)."""
        return _shift(frame, self.joints, self.states, sign=1)

    def inverse(self) -> RelativeActions:
        """Give the transform that undoes this one."""
        return RelativeActions(joints=self.joints, states=self.states)


def _shift(frame: Values, joints: tuple[int, ...], states: tuple[int, ...], sign: int) -> dict[str, Array]:
    if ACTION not in frame:
        return dict(frame)
    action, state = frame[ACTION] + 0, frame[STATE]  # a copy, of either kind of array
    now = state[..., -1:, :] if state.ndim == action.ndim else state[..., None, :]
    action[..., list(joints)] += sign * now[..., list(states)]
    return dict(frame) | {ACTION: action}


def _numbered(spec: Spec) -> tuple[str, ...]:
    return tuple(map(str, range(spec.shape[-1])))
