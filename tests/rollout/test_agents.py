import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.rollout.agents import Agent, PolicyAgent, ReplayAgent, TeleoperatorAgent, UntilStopped


class Counting:
    """A policy whose n-th chunk is n.0, n.1, n.2, ..."""

    past = ()

    def example_noise(self, rng):
        return {}

    def __init__(self, length):
        self.length, self.asked = length, 0

    def act(self, frame):
        self.asked += 1
        return (self.asked + np.arange(self.length) / 10)[:, None].astype(np.float32)


def play(agent, ticks):
    return [round(float(agent.act({})[0]), 1) for _ in range(ticks)]


def test_a_chunk_is_played_and_then_a_new_one_asked_for():
    assert play(PolicyAgent(Counting(5), replan=2), 5) == [1.0, 1.1, 2.0, 2.1, 3.0]


def test_a_short_chunk_is_played_to_its_end():
    assert play(PolicyAgent(Counting(2), replan=9), 4) == [1.0, 1.1, 2.0, 2.1]


def test_a_reset_drops_the_rest_of_the_chunk():
    agent = PolicyAgent(Counting(5), replan=5)
    play(agent, 2)
    agent.reset(0)
    assert play(agent, 1) == [2.0]


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 30))
def test_the_policy_is_asked_no_more_often_than_needed(length, replan, ticks):
    policy = Counting(length)
    play(PolicyAgent(policy, replan=replan), ticks)
    assert policy.asked == -(-ticks // min(length, replan))


def test_a_policy_that_looks_back_sees_the_ticks_before_also_those_between_its_chunks():
    class LooksBack(Counting):
        past = (-2, 0)

        def act(self, frame):
            seen.append(frame["observation.state"].tolist())
            return super().act(frame)

    seen = []
    agent = PolicyAgent(LooksBack(2), replan=2)
    for episode in range(2):
        agent.reset(episode)
        for tick in range(5):
            agent.act({"observation.state": np.array([10 * episode + tick])})
    assert seen == [[[0], [0]], [[0], [2]], [[2], [4]], [[10], [10]], [[10], [12]], [[12], [14]]]


def test_a_replan_interval_below_one_is_refused():
    with pytest.raises(ValueError, match="replan should be at least 1, got 0"):
        PolicyAgent(Counting(1), replan=0)


def test_a_recording_is_played_once_and_again_after_a_reset():
    agent = ReplayAgent(np.array([[1.0], [2.0]], np.float32))
    assert [agent.act({}) for _ in range(3)][2] is None
    agent.reset(0)
    assert agent.act({}) == 1.0


def test_a_teleoperator_is_an_agent():
    class Hand:
        def reset(self, seed):
            self.seed = seed

        def read(self):
            return np.array([self.seed], np.float32)

    agent = TeleoperatorAgent(Hand())
    agent.reset(7)
    assert agent.act({}) == 7


def test_all_are_agents():
    for agent in (PolicyAgent(Counting(1), replan=1), ReplayAgent(np.zeros((1, 1))), UntilStopped(None, bool)):
        assert isinstance(agent, Agent)
