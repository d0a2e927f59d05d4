"""What `etude demo` takes from its recipe, and what it is told."""

import pytest

from etude.cli.demo import Demo, recipe_of
from etude.core.errors import NotFound, UserError
from etude.recipes import recipe


def test_what_is_not_said_is_the_recipes():
    assert recipe_of(Demo(task="push", world="hard")) == recipe("push", "hard")


def test_what_is_said_wins():
    wanted = recipe_of(Demo(episodes=7, minutes=0.5, rollouts=3, coach=True))
    assert (wanted.episodes, wanted.minutes, wanted.rollouts, wanted.is_coached) == (7, 0.5, 3, True)


def test_steps_take_the_place_of_minutes():
    wanted = recipe_of(Demo(steps=5))
    assert (wanted.steps, wanted.minutes) == (5, 0)


@pytest.mark.parametrize("wrong", [{"episodes": 0}, {"minutes": -1.0}, {"rollouts": 0}, {"steps": 0}])
def test_nothing_can_be_less_than_one(wrong):
    with pytest.raises(UserError, match="more than 0"):
        Demo(**wrong)


def test_minutes_and_steps_exclude_each_other():
    with pytest.raises(UserError, match="choose one"):
        Demo(minutes=1.0, steps=10)


def test_an_unknown_task_is_told():
    with pytest.raises(NotFound, match="Did you mean 'pick_place'"):
        recipe_of(Demo(task="pick_plaice"))
