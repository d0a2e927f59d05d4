from dataclasses import dataclass, field

import numpy as np
import pytest

from etude.core.spec import Spec
from etude.rollout.agents import ReplayAgent
from etude.rollout.steering import HELD, Approach, Gap, Stay, Steered

JOINTS = ("pan.pos", "lift.pos")


@dataclass
class Arm:
    """A robot whose state has one value more than its action."""

    told: list = field(default_factory=list)
    action = Spec(shape=(2,), names=JOINTS)

    def __post_init__(self):
        self.observation = {"observation.state": Spec(shape=(3,), names=("effort", *JOINTS))}

    def stop(self, why):
        self.told.append(why)

    def resume(self):
        self.told.append("resume")


@dataclass
class Wishes:
    is_ended: bool = False
    is_held: bool = False

    def look(self):
        pass


def frame(pan, lift):
    return {"observation.state": np.array([99, pan, lift], np.float32)}


def steered(arm, wishes):
    return Steered(ReplayAgent(np.array([[1, 1], [2, 2], [3, 3]], np.float32)), arm, wishes)


def test_nobody_who_wishes_nothing_changes_anything():
    agent = steered(Arm(), Wishes())
    agent.reset(0)
    assert [agent.act(frame(0, 0)).tolist() for _ in range(3)] == [[1, 1], [2, 2], [3, 3]]
    assert agent.act(frame(0, 0)) is None


def test_an_end_is_heard_before_the_agent():
    wishes = Wishes(is_ended=True)
    assert steered(Arm(), wishes).act(frame(0, 0)) is None


def test_a_held_arm_stays_where_it_was_and_the_agent_waits():
    arm, wishes = Arm(), Wishes()
    agent = steered(arm, wishes)
    agent.act(frame(0, 0))
    wishes.is_held = True
    assert agent.act(frame(5, 6)).tolist() == [5, 6]
    assert agent.act(frame(7, 8)).tolist() == [5, 6]
    wishes.is_held = False
    assert agent.act(frame(7, 8)).tolist() == [2, 2]
    assert arm.told == [HELD, "resume"]


def test_an_arm_that_is_let_go_on_at_the_very_end_of_a_rollout_goes_on_in_the_next():
    arm, wishes = Arm(), Wishes(is_held=True)
    agent = steered(arm, wishes)
    agent.act(frame(0, 0))
    wishes.is_held, wishes.is_ended = False, True
    assert agent.act(frame(0, 0)) is None
    assert arm.told == [HELD, "resume"]


def test_the_gap_names_the_joint_that_is_farthest_off():
    agent = steered(Arm(), Wishes())
    agent.act(frame(3, -9))
    assert agent.gap == ("lift", pytest.approx(10))
    assert Gap(Arm()).worst(np.zeros(3), frame(0, 0)) is None


def test_an_approach_ends_when_the_pose_is_reached():
    approach = Approach(np.array([10, 0], np.float32), Arm(), hz=10)
    assert approach.act(frame(0, 0)).tolist() == [10, 0]
    assert approach.act(frame(5, 0)).tolist() == [10, 0]
    assert approach.act(frame(9, 0)) is None
    assert approach.was_off == ("pan", 10)


def test_an_approach_gives_up_when_the_arm_comes_no_nearer():
    approach = Approach(np.array([10, 0], np.float32), Arm(), hz=10)
    asked = 0
    while approach.act(frame(4, 0)) is not None:
        asked += 1
    assert asked == 6  # the first time it came nearer than ever, then half a second


def test_who_stays_asks_for_the_pose_it_saw_first():
    stay = Stay(Arm())
    assert [stay.act(frame(pan, 1)).tolist() for pan in (4, 3)] == [[4, 1], [4, 1]]
    stay.reset(0)
    assert stay.act(frame(2, 1)).tolist() == [2, 1]
