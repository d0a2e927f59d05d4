import importlib
import sys
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


STAGE = '''
import os
from dataclasses import dataclass, field
import numpy as np
from etude.core.clock import SimClock
from etude.core.errors import EtudeError, UserError
from etude.core.spec import Spec
from etude.envs.env import Step, no_wait
from etude.rollout.evaluate import Cast
from etude.rollout.troupe import Troupe


class Walk:
    """A walk of random steps; it arrives beyond 8."""

    observation = {"observation.state": Spec(shape=(2,))}
    action = Spec(shape=(2,))
    hz, max_ticks = 10.0, 40

    def __init__(self, kind):
        self.kind, self.clock = kind, SimClock()

    def reset(self, seed):
        self.seed, self.rng, self.at = seed, np.random.default_rng(seed), np.zeros(2)
        if seed == 4:
            {"dies": lambda: os._exit(9), "fails": lambda: 1 / 0, "hangs": self.hang}.get(self.kind, lambda: None)()
        return self.frame()

    def hang(self):
        import time
        time.sleep(600)

    def step(self, action, wait=no_wait):
        wait()
        self.at = self.at + action + self.rng.normal(size=2)
        there = bool(self.at[0] > 8)
        return Step(frame=self.frame(), action=action, reward=self.at[0], terminated=there, success=there)

    def frame(self):
        return {"observation.state": self.at.astype(np.float32)}

    def render(self):
        return np.full((64, 96, 3), self.seed, np.uint8)

    def close(self):
        if self.kind != "plain":
            open(self.kind, "a").write(f"{os.getpid()}\\n")


class Push:
    latencies_s = (0.25,)

    def reset(self, seed):
        self.rng = np.random.default_rng(seed + 100)

    def act(self, frame):
        return self.rng.normal(0.1, 1, 2).astype(np.float32)


@dataclass
class Make:
    kind: str = "plain"

    def __call__(self):
        if self.kind == "refuses":
            raise UserError("There is no such walk.")
        return Cast(env=Walk(self.kind), agent=Push(), facts={"pid": os.getpid()}, leaves=lambda: os.getpid())


@dataclass
class MakeTroupe:
    """Walkers who ask in which direction to push; the answer is the mean of what all of them ask."""

    def __call__(self):
        return Troupe(cast=lambda ask: Cast(env=Walk("plain"), agent=Asking(ask)), answer=self.answer)

    def answer(self, questions):
        mean = np.mean([question for question in questions if question is not None], axis=0)
        return [mean] * len(questions)


class Asking(Push):
    def __init__(self, ask):
        self.ask = ask

    def act(self, frame):
        return self.ask(super().act(frame)).astype(np.float32)
'''


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Sets a stage in a module that a new process can import; who acts leaves the number of his process."""
    (tmp_path / "stage_of_a_test.py").write_text(STAGE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield importlib.import_module("stage_of_a_test").Make
    del sys.modules["stage_of_a_test"]
