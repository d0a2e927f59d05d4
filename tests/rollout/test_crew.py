"""Evaluations shared by processes. What they make is written to a module that a new process can import."""

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
