"""What every policy's config promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self, runtime_checkable

from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.core.window import Window
from etude.transforms.pipeline import Pipeline


@runtime_checkable
class PolicyConfig(Protocol):
    """Frozen values that say how a policy is built, fed and run.

    One whose chunks can go on from an old one has `rtc_modes` as well, and the policy is `Continuing`.
    """

    n_action_steps: int
    """Actions of a chunk to play before asking again."""
    image_size: tuple[int, int] | None
    """Height and width of the pictures it sees; none leaves them as they are."""
    num_noise: int
    """Actions' worth of noise that a chunk is made of; 0 for a policy that does not sample."""
    drop_n_last_frames: int
    """Frames at the end of every episode that no training sample begins at."""
    optimizer_lr: float
    optimizer_weight_decay: float

    @property
    def window(self) -> Window:
        """The frames around one instant that make a training sample."""
        ...

    def observes(self, specs: Specs) -> Specs:
        """Choose the entries of `specs` that this policy looks at; raise `ConfigError` when it lacks one."""
        ...

    def reframe(self, observation: Specs, action: Spec) -> Pipeline:
        """How frames are rewritten before they are normalised; statistics are measured after it."""
        ...

    def pipeline(self, stats: Mapping[str, Stats], observation: Specs, action: Spec) -> Pipeline:
        """Everything between the dataset's frames and the network; it begins with `reframe`."""
        ...

    @classmethod
    def tiny(cls) -> Self:
        """Smallest working size, for tests."""
        ...
