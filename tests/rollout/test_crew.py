"""Evaluations shared by processes. What they make is written to a module that a new process can import."""

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from etude.core.errors import EtudeError, UserError
from etude.rollout.crew import evaluate_together
from etude.rollout.films import Films

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
        return Cast(env=Walk(self.kind), agent=Push(), facts={"pid": os.getpid()})


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
    (tmp_path / "stage_of_a_test.py").write_text(STAGE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield importlib.import_module("stage_of_a_test").Make
    del sys.modules["stage_of_a_test"]


def test_results_are_those_of_one_process(make, tmp_path):
    told = []
    alone = evaluate_together(make(), seeds=range(9), num_processes=1)
    shared = evaluate_together(
        make(str(tmp_path / "closed")),
        seeds=range(9),
        num_processes=2,
        progress=lambda done, successes: told.append((done, successes)),
    )
    assert [result.seed for result in shared.results] == list(range(9))
    assert shared.results == alone.results
    assert 0 < shared.successes < 9
    assert told[-1] == (9, shared.successes)
    assert alone.facts["pid"] == os.getpid() != shared.facts["pid"]
    assert shared.to_json()["latency"]["p95_s"] == 0.25
    assert multiprocessing.active_children() == []
    assert len(set((tmp_path / "closed").read_text().split())) == 2


def test_the_first_and_the_failures_are_filmed(make, tmp_path):
    films = Films(tmp_path, 1)
    score = evaluate_together(make(), seeds=range(6), num_processes=2, films=films)
    assert not all(result.success for result in score.results[1:])
    assert {path.name for path in films.join()} == {"rollouts.mp4", "failures.mp4"}
    assert not (tmp_path / ".films").exists()


def test_who_shares_a_batch_does_not_depend_on_who_is_faster(make):
    troupe = sys.modules["stage_of_a_test"].MakeTroupe()

    def scored(processes):
        return evaluate_together(troupe, seeds=range(9), num_processes=processes, batch_size=2).results

    alone = scored(1)
    assert alone == scored(1)
    shared = [scored(2), scored(2)]
    assert shared[0] == shared[1]
    assert [result.seed for result in shared[0]] == list(range(9))
    assert alone != evaluate_together(make(), seeds=range(9), num_processes=1).results
    assert all(result.latencies_s == () for result in alone)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_refused_is_said_as_ever(make, processes):
    with pytest.raises(UserError, match=r"There is no such walk\."):
        evaluate_together(make("refuses"), seeds=range(2), num_processes=processes)
    assert multiprocessing.active_children() == []


def test_what_nobody_foresaw_is_shown_with_its_place(make):
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*division by zero"):
        evaluate_together(make("fails"), seeds=range(6), num_processes=2)
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_is_named_with_what_it_did(make):
    with pytest.raises(EtudeError, match=r"died in the rollout of seed 4 \(exit code 9\)"):
        evaluate_together(make("dies"), seeds=range(6), num_processes=2)
    assert multiprocessing.active_children() == []


MAIN = """
import sys
from etude.rollout.crew import evaluate_together
from stage_of_a_test import Make
if __name__ == "__main__":
    try:
        tell = lambda *_: print("going", flush=True)
        evaluate_together(Make("hangs"), seeds=[1, 4, 4], num_processes=2, progress=tell)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to interrupt")
def test_an_interrupt_leaves_nothing_behind(make, tmp_path):
    (tmp_path / "main.py").write_text(MAIN)
    with subprocess.Popen(
        [sys.executable, "main.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        overdue = threading.Timer(60, process.kill)
        overdue.start()
        assert process.stdout.readline() == "going\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr.read() == ""
        overdue.cancel()
    for _ in range(100):
        if not _alive(process.pid):
            break
        time.sleep(0.05)
    assert not _alive(process.pid)


def _alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_mean_of_a_measure_is_over_those_that_have_it(make):
    score = evaluate_together(make(), seeds=range(9), num_processes=1)
    times = [result.time_to_success_s for result in score.results if result.success]
    assert score.mean("time_to_success_s") == pytest.approx(np.mean(times))
    assert all(result.time_to_success_s is None for result in score.results if not result.success)
