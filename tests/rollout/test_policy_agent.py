"""Chunks that come late, overlap, or go on from one another; every action at its own tick."""

from __future__ import annotations

import runpy
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import UserError
from etude.policies.realtime import DELAY, PREFIX
from etude.rollout.latency import sentence, summary
from etude.rollout.policy_agent import PolicyAgent, blend
from etude.rollout.thinking import InThread, InTicks

GOLDEN = Path(__file__).parents[1] / "golden"


class Telling:
    """A policy whose actions tell the tick they are for, and the tick of the chunk that they are from."""

    past = ()

    def __init__(self, length=8):
        self.length, self.frames = length, []

    def example_noise(self, rng):
        return {"noise": rng.standard_normal(1)}

    def act(self, frame):
        self.frames.append(frame)
        start = int(frame["tick"])
        return np.stack([start + np.arange(self.length), np.full(self.length, start)], 1).astype(np.float32)


def play(agent, ticks, *, first=0):
    return np.array([agent.act({"tick": np.array(tick)}) for tick in range(first, first + ticks)])


@given(st.integers(1, 9), st.integers(0, 4), st.integers(1, 40))
def test_whatever_the_delay_each_action_is_played_at_its_own_tick(replan, delay, ticks):
    agent = PolicyAgent(policy := Telling(), replan=replan, thinking=InTicks(policy, delay))
    played = play(agent, ticks)
    assert played[:, 0].tolist() == list(range(ticks))
    assert agent.num_held == 0
    assert len(agent.latencies_s) == len(policy.frames)


def test_while_a_chunk_is_computed_the_old_one_goes_on():
    agent = PolicyAgent(policy := Telling(), replan=4, thinking=InTicks(policy, 2))
    assert play(agent, 12)[:, 1].tolist() == [0] * 6 + [4] * 4 + [8] * 2


def test_a_new_chunk_is_asked_for_before_the_old_one_is_over():
    agent = PolicyAgent(policy := Telling(5), replan=5, thinking=InTicks(policy, 2))
    assert play(agent, 11)[:, 1].tolist() == [0] * 5 + [3] * 3 + [6] * 3
    assert agent.num_held == 0


def test_without_a_chunk_the_last_action_is_held():
    class Slow(InTicks):
        delay = 0

        def answer(self, tick, *, waits=False):
            return super().answer(tick - 3, waits=waits)

    agent = PolicyAgent(policy := Telling(4), replan=4, thinking=Slow(policy))
    assert play(agent, 9)[:, 0].tolist() == [0, 1, 2, 3, 3, 3, 3, 7, 7]
    assert agent.num_held == 4


def test_a_policy_that_is_always_too_late_is_refused():
    class TooSlow(InTicks):
        delay = 0

        def answer(self, tick, *, waits=False):
            return super().answer(tick - 5, waits=waits)

    agent = PolicyAgent(policy := Telling(4), replan=4, thinking=TooSlow(policy))
    with pytest.raises(UserError, match="takes 5 ticks for a chunk of 4 actions, so each is over"):
        play(agent, 30)


def test_the_policy_is_told_what_is_left_of_the_old_chunk_and_how_much_of_it_is_certain():
    agent = PolicyAgent(policy := Telling(), replan=3, thinking=InTicks(policy, 2), continues=True)
    play(agent, 5)
    first, second = policy.frames
    assert PREFIX not in first
    assert second[PREFIX][:, 0].tolist() == [3, 4, 5, 6, 7]
    assert second[DELAY] == 2


def test_with_nothing_left_there_is_nothing_to_go_on_from():
    agent = PolicyAgent(policy := Telling(), replan=8, continues=True)
    play(agent, 16)
    assert all(PREFIX not in frame for frame in policy.frames)


def test_a_reset_forgets_a_chunk_that_is_on_its_way_and_starts_the_noise_anew():
    agent = PolicyAgent(policy := Telling(), replan=3, thinking=InTicks(policy, 2), continues=True)
    play(agent, 4)
    agent.reset(0)
    assert agent.latencies_s == []
    assert play(agent, 2, first=100)[:, 1].tolist() == [100, 100]
    noises = [frame["noise"].item() for frame in policy.frames]
    assert noises[2] == noises[0] != noises[1]
    assert PREFIX not in policy.frames[2]


def test_chunks_are_averaged_by_hand():
    actions = np.array([[1.0], [2.0], [4.0]])
    weights = np.exp([0, -0.5, -1.0])
    assert blend(actions, 0.5).item() == pytest.approx((weights * [1, 2, 4]).sum() / weights.sum())
    assert blend(actions, 0.0).item() == pytest.approx(7 / 3)


def test_temporal_ensembling_is_lerobots():
    make = runpy.run_path(str(GOLDEN / "make_rtc.py"))
    chunks = make["drawn"]("chunks", (make["TICKS"], *make["CHUNK"][1:]))

    class Recorded(Telling):
        def act(self, frame):
            return chunks[frame["tick"]]

    with np.load(GOLDEN / "rtc.npz") as stored:
        for coeff in make["COEFFICIENTS"]:
            played = play(PolicyAgent(Recorded(), replan=1, ensemble_coeff=coeff), make["TICKS"])
            np.testing.assert_allclose(played, stored[f"ensembled.{coeff}"], atol=1e-6, rtol=1e-5)


def test_ensembling_also_takes_chunks_that_come_late_and_seldom():
    agent = PolicyAgent(policy := Telling(6), replan=2, ensemble_coeff=0.0, thinking=InTicks(policy, 1))
    played = play(agent, 9)
    assert played[:, 0].tolist() == list(range(9))
    assert played[3, 1] == 1.0  # chunks of ticks 0 and 2
    assert played[5, 1] == 2.0  # of 0, 2 and 4
    assert played[6, 1] == 3.0  # of 2 and 4; that of 6 is on its way


def test_a_thread_computes_while_the_old_chunk_goes_on():
    class Slow(Telling):
        may_go_on = threading.Event()

        def act(self, frame):
            if frame["tick"]:
                assert self.may_go_on.wait(10)
            return super().act(frame)

    policy = Slow()
    agent = PolicyAgent(policy, replan=2, thinking=InThread(policy, hz=30.0, delay=1))
    assert play(agent, 5)[:, 1].tolist() == [0] * 5
    policy.may_go_on.set()
    agent._thinking._asked[1].result()
    assert agent.act({"tick": np.array(5)}).tolist() == [5.0, 2.0]
    assert len(agent.latencies_s) == 2


def test_what_a_policy_raises_in_the_thread_reaches_the_loop():
    class Broken(Telling):
        def act(self, frame):
            raise UserError("It is broken.")

    policy = Broken()
    with pytest.raises(UserError, match="broken"):
        play(PolicyAgent(policy, replan=1, thinking=InThread(policy, hz=30.0)), 1)


def test_a_delay_is_expected_from_recent_latencies_but_for_the_first():
    thinking = InThread(Telling(), hz=10.0)
    assert thinking.delay == 0
    for latency_s, ticks in ((0.95, 10), (0.11, 2), (0.29, 3), (0.05, 3)):
        thinking.latencies_s.append(latency_s)
        assert thinking.delay == ticks
    assert InThread(Telling(), hz=10.0, delay=4).delay == 4


def test_latency_is_told_by_percentiles():
    found = summary([0.010] * 98 + [0.020, 0.030])
    assert found["p50_s"] == found["p95_s"] == 0.010
    assert found["max_s"] == 0.030
    assert 0.010 < found["p99_s"] < 0.030
    assert sentence([0.012]) == "1 chunk of actions, computed in p50 12, p95 12, p99 12, max 12 ms."
    assert (summary([]), sentence([])) == ({}, "No chunk was asked for.")
