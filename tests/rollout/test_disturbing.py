from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from etude.core.errors import UserError
from etude.core.spec import Spec
from etude.envs.env import Step
from etude.rollout.agents import ReplayAgent
from etude.rollout.disturbing import AsMeant, Disturbed, disturbed

NAMES = ("shoulder_pan.pos", "elbow_flex.pos", "left_gripper.pos")


class Seen:
    """A sink that remembers what it was told."""

    def __init__(self):
        self.told = []

    def begin(self, seed):
        self.told.append(("begin", seed))

    def tick(self, frame, step):
        self.told.append(step.action)

    def end(self, success):
        self.told.append(("end", success))

    def abort(self, *exception):
        self.told.append(("abort", *exception))


def _agent(num_ticks=300, strength=1.0, seed=0):
    agent = Disturbed(ReplayAgent(np.full((num_ticks, 3), 10, np.float32)), NAMES, strength=strength, hz=30)
    agent.reset(seed)
    return agent


def _acted(agent):
    actions = []
    while (action := agent.act({})) is not None:
        actions.append(action)
    return np.array(actions) - 10


def test_joints_are_led_astray_in_bursts_and_the_gripper_is_not():
    noise = np.concatenate([_acted(_agent(seed=seed)) for seed in range(20)])
    assert (noise[:, 2] == 0).all()
    assert 2 < noise[:, :2].std() < 5
    assert np.abs(noise[:, :2]).max() < 30


def test_it_begins_undisturbed_and_moves_smoothly():
    for seed in range(5):
        noise = _acted(_agent(seed=seed))
        assert (noise[:6] == 0).all()
        assert np.abs(np.diff(noise, axis=0)).max() < 0.4 * np.abs(noise).max()


def test_strength_scales_it():
    np.testing.assert_allclose(_acted(_agent(strength=0.5)), 0.5 * _acted(_agent(strength=1.0)), atol=1e-5)


def test_a_seed_decides_it():
    agent = _agent(seed=3)
    first = _acted(agent)
    agent.reset(3)
    np.testing.assert_array_equal(_acted(agent), first)
    assert not np.array_equal(_acted(_agent(seed=4)), first)


class TestWhatWasMeant:
    def test_what_was_done_as_asked_was_meant_without_noise(self):
        agent = _agent()
        for _ in range(60):
            asked = agent.act({})
            np.testing.assert_array_equal(agent.meant(asked), [10, 10, 10])

    def test_a_limit_holds_for_what_was_meant_as_well(self):
        agent = Disturbed(ReplayAgent(np.array([[0, 5, 9]] * 2, np.float32)), NAMES, strength=1, hz=30)
        agent.reset(0)
        asked = agent.act({})
        np.testing.assert_array_equal(agent.meant(asked - [0, 2, 3]), [0, 3, 6])
        asked = agent.act({})
        np.testing.assert_array_equal(agent.meant(asked + np.array([0, 2, 0])), [0, 7, 9])

    def test_a_limit_beyond_what_was_meant_leaves_it_alone(self):
        agent = Disturbed(ReplayAgent(np.zeros((200, 3), np.float32)), NAMES, strength=1, hz=30)
        agent.reset(1)
        for _ in range(200):
            asked = agent.act({})
            limited = np.clip(asked, -0.5, 0.5)
            np.testing.assert_array_equal(agent.meant(limited), [0, 0, 0])

    def test_what_nobody_asked_for_is_told_as_it_was(self):
        agent = _agent()
        held = np.array([1, 2, 3], np.float32)
        np.testing.assert_array_equal(agent.meant(held), held)
        agent.meant(agent.act({}))
        np.testing.assert_array_equal(agent.meant(held), held)

    def test_sinks_are_told_of_it(self):
        agent, seen = _agent(), Seen()
        sink = AsMeant(seen, agent)
        sink.begin(7)
        sink.tick({}, Step(frame={}, action=agent.act({})))
        sink.end(True)
        sink.abort(ValueError)
        assert [seen.told[0], *seen.told[2:]] == [("begin", 7), ("end", True), ("abort", ValueError)]
        np.testing.assert_array_equal(seen.told[1], [10, 10, 10])


class TestChoosing:
    ROBOT = SimpleNamespace(name="arm", action=Spec(shape=(3,), names=NAMES), uses_degrees=True)

    def test_without_noise_nothing_changes(self):
        agent, sink = ReplayAgent(np.zeros((1, 3))), Seen()
        assert disturbed(agent, sink, self.ROBOT, strength=0, hz=30) == (agent, sink)

    def test_with_noise_both_change(self):
        agent, sink = disturbed(ReplayAgent(np.zeros((1, 3))), Seen(), self.ROBOT, strength=0.5, hz=30)
        assert isinstance(agent, Disturbed)
        assert isinstance(sink, AsMeant)

    def test_a_robot_of_unknown_units_is_refused(self):
        robot = SimpleNamespace(name="other", action=Spec(shape=(1,)))
        with pytest.raises(UserError, match="'other' does not tell which"):
            disturbed(ReplayAgent(np.zeros((1, 1))), Seen(), robot, strength=1, hz=30)
