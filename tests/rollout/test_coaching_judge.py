import numpy as np
import pytest

from etude.rollout.coaching_judge import LEAST_GAIN_M, NO_PROGRESS, TOO_LONG, Demonstrator, Onlooker, gain_m
from etude.sim.moves import View, Wish


def view(x=0.0, gripper_rad=0.0):
    return View(hand=np.array([x, 0.0, 0.0]), hand_axes=np.eye(3), gripper_rad=gripper_rad, objects={})


def wish(x, gripper_rad=0.0):
    return Wish(position=np.array([x, 0.0, 0.0]), roll=0.0, gripper_rad=gripper_rad)


class Scene:
    """A hand that moves by `speed` [m] a look; somebody wants it at `goal`."""

    def __init__(self, speed, goal=1.0):
        self.speed, self.goal, self.x = speed, goal, 0.0

    def consider(self):
        self.x += self.speed
        return view(self.x), wish(self.goal)


def told(scene, looks, **how):
    onlooker = Onlooker(scene, **{"hz": 10, "patience_s": 0.5, "usual_s": 100.0} | how)
    return [onlooker.look() for _ in range(looks)]


class TestGain:
    def test_it_is_how_much_nearer_the_hand_came(self):
        assert gain_m(view(0.0), wish(0.3), view(0.1)) == pytest.approx(0.1)
        assert gain_m(view(0.0), wish(0.3), view(-0.1)) == pytest.approx(-0.1)

    def test_fingers_count_by_the_way_of_their_tips(self):
        assert gain_m(view(), wish(0.3, 0.5), view(0.0, 0.2)) == pytest.approx(0.06 * 0.2)
        assert gain_m(view(0.0, 0.5), wish(0.3, 0.5), view(0.0, 0.3)) == pytest.approx(-0.06 * 0.2)

    def test_who_is_there_may_wait(self):
        assert gain_m(view(0.3), wish(0.303), view(0.3)) == LEAST_GAIN_M
        assert gain_m(view(0.3), wish(0.303, 0.5), view(0.3)) == 0


def test_a_script_can_be_asked():
    assert isinstance(Scene(0), Demonstrator)


def test_a_hand_that_comes_nearer_is_left_alone():
    assert told(Scene(0.01), 50) == [""] * 50


@pytest.mark.parametrize("speed", [0.0, -0.05, 0.0015])
def test_patience_ends_with_a_hand_that_gets_nowhere(speed):
    assert told(Scene(speed), 7) == [""] * 5 + [NO_PROGRESS] * 2, "five gains take six looks"


def test_a_wish_that_leaps_is_no_setback():
    scene = Scene(0.01, goal=0.3)
    onlooker = Onlooker(scene, hz=10, patience_s=0.5, usual_s=100.0)
    for _ in range(20):
        assert onlooker.look() == ""
    scene.goal = 2.0
    assert [onlooker.look() for _ in range(20)] == [""] * 20


def test_what_takes_unusually_long_is_ended():
    assert told(Scene(0.01), 12, usual_s=1.0) == [""] * 10 + [TOO_LONG] * 2


def test_help_ends_after_a_while_or_with_the_episode():
    onlooker = Onlooker(Scene(0.0), hz=10, patience_s=0.5, usual_s=9.0, hand_back_s=0.3)
    assert [onlooker.hands_back(driven) for driven in (1, 2, 3)] == [False, False, True]
    assert not Onlooker(Scene(0.0), hz=10, patience_s=0.5, usual_s=9.0).hands_back(1000)


def test_a_new_beginning_has_all_the_time_again():
    onlooker = Onlooker(Scene(0.0), hz=10, patience_s=0.5, usual_s=100.0)
    assert [onlooker.look() for _ in range(6)][-1] == NO_PROGRESS
    onlooker.reset()
    assert onlooker.look() == ""
