"""Who drives, and what is kept of it. The skill goes down by 1 a tick, the demonstrator up."""

import numpy as np
import pytest

from etude.core.frame import ACTION
from etude.core.spec import Spec
from etude.rollout.agents import Agent
from etude.rollout.coaching import INTERVENTION, Coach, LessonSink, Setting
from etude.rollout.loop import rollout
from etude.rollout.sinks import Sink


class Going:
    """Always gives `way`, up to `most` times after a reset; counts its resets."""

    def __init__(self, way, most=100):
        self.way, self.most, self.resets = way, most, []

    def reset(self, seed):
        self.resets.append(seed)
        self.left = self.most

    def act(self, frame):
        self.left -= 1
        return None if self.left < 0 else np.array([self.way], np.float32)


class AfterLooks:
    """Finds that the skill needs help at look `at` after each reset, for `helps` ticks."""

    def __init__(self, at, helps):
        self.at, self.helps, self.looks = at, helps, 0

    def reset(self):
        self.looks = 0

    def look(self):
        self.looks += 1
        return "because" if self.looks == self.at else ""

    def hands_back(self, num_driven):
        return num_driven == self.helps


def coached(at, most=100, helps=None):
    skill, demonstrator = Going(-0.5), Going(0.5, most)
    return Coach(skill, demonstrator, AfterLooks(at, helps)), skill, demonstrator


def driven(counter, coach, goal=6, seed=7):
    """Run an episode; give who drove in each tick, as signs of the actions."""
    signs = []

    class Noting:
        def begin(self, seed): ...
        def tick(self, frame, step):
            signs.append("+" if step.action[0] > 0 else "-")

        def end(self, success): ...
        def abort(self, *exception): ...

    outcome = rollout(counter(goal=goal), coach, [Noting()], seed=seed)
    return "".join(signs), outcome


def test_it_is_an_agent_whom_a_sink_watches():
    coach, *_ = coached(1)
    assert isinstance(coach, Agent)
    assert isinstance(LessonSink(coach, Setting(specs={}, fps=10, task="")), Sink)


def test_the_skill_drives_while_it_goes_well(counter):
    coach, skill, _ = coached(99)
    assert driven(counter, coach)[0] == "------"
    assert coach.take_overs == []
    assert skill.resets == [7]


def test_the_demonstrator_takes_over_and_keeps_on(counter):
    coach, _, demonstrator = coached(3)
    assert driven(counter, coach)[0] == "--++++"
    assert [(each.tick, each.why) for each in coach.take_overs] == [(2, "because")]
    assert demonstrator.resets == [7, 7], "once to watch, once to drive"
    assert coach.is_driving


def test_the_skill_is_given_the_robot_back_and_plans_anew(counter):
    coach, skill, _ = coached(3, helps=2)
    assert driven(counter, coach, goal=10)[0] == "--++--++--"
    assert len(coach.take_overs) == 2
    assert skill.resets == [7, 7, 7]


def test_a_demonstrator_who_gives_up_ends_the_episode(counter):
    coach, *_ = coached(2, most=3)
    signs, outcome = driven(counter, coach)
    assert signs == "-+++"
    assert not outcome.success


def test_the_next_episode_begins_with_the_skill(counter):
    coach, *_ = coached(3)
    assert driven(counter, coach)[0] == driven(counter, coach)[0] == "--++++"
    assert len(coach.take_overs) == 1


@pytest.fixture
def setting(counter):
    env = counter()
    return Setting(specs={**env.observation, ACTION: env.action}, fps=10, task="Count.")


def lesson_of(counter, setting, at, **how):
    coach, *_ = coached(at, **how)
    sink = LessonSink(coach, setting)
    rollout(counter(goal=5), coach, [sink], seed=1)
    return sink.lesson()


def test_a_correction_is_kept_whole_with_who_drove(counter, setting):
    lesson = lesson_of(counter, setting, 3)
    assert [bool(frame[INTERVENTION][0]) for frame in lesson.frames] == [False, False, True, True, True]
    assert [float(frame[ACTION][0]) for frame in lesson.frames] == [-0.5, -0.5, 0.5, 0.5, 0.5]
    assert [float(frame["observation.state"][0]) for frame in lesson.frames] == [0, 1, 2, 3, 4]
    assert lesson.num_driven == 3
    assert len(lesson.timings) == 5
    for key, spec in setting.columns.items():
        spec.check(key, lesson.frames[0][key])
    assert setting.columns[INTERVENTION] == Spec(shape=(1,), dtype="bool")


@pytest.mark.parametrize(("at", "most", "take_overs"), [(99, 100, 0), (2, 2, 1)])
def test_nothing_is_kept_of_what_went_well_or_came_to_nothing(counter, setting, at, most, take_overs):
    lesson = lesson_of(counter, setting, at, most=most)
    assert lesson.frames == ()
    assert lesson.num_driven == 0
    assert len(lesson.take_overs) == take_overs
