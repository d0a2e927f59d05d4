from dataclasses import dataclass, field

import numpy as np
import pytest

from etude.core.clock import SimClock
from etude.core.spec import Spec
from etude.envs.env import Step, no_wait


@dataclass
class Counter:
    """An environment whose state is the number of ticks, and which limits actions to 1; it succeeds at `goal`."""

    goal: int = 5
    hz: float = 10.0
    clock: SimClock = field(default_factory=SimClock)
    observation: dict = field(default_factory=lambda: {"observation.state": Spec(shape=(1,))})
    action: Spec = field(default_factory=lambda: Spec(shape=(1,)))
    max_ticks: int | None = None
    work_s: float = 0.0
    """Time that each step takes by itself."""
    ticks: int = 0

    def reset(self, seed):
        self.ticks = 0
        self.seed = seed
        return self._frame()

    def step(self, action, wait=no_wait):
        applied = np.clip(action, -1, 1).astype(np.float32)
        self.clock.sleep_until(self.clock.now() + self.work_s)
        wait()
        self.ticks += 1
        done = self.ticks >= self.goal
        return Step(frame=self._frame(), action=applied, terminated=done, success=done)

    def close(self):
        pass

    def _frame(self):
        return {"observation.state": np.array([self.ticks], np.float32)}


@pytest.fixture
def counter():
    return Counter
