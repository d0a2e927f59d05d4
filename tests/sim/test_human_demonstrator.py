"""What makes the demonstrator human: pauses, slips, and backing off where the hand is stuck."""

import numpy as np
import pytest

from etude.core.errors import ConfigError
from etude.sim.moves import HOLD_RAD, OPEN_RAD, View, Wish
from etude.sim.teleoperators.scripted.config import Config
from etude.sim.teleoperators.scripted.lapses import Lapses
from etude.sim.teleoperators.scripted.retreat import Retreat

TICK_S = 1 / 30


def runs(flags):
    """Lengths of the runs of true values."""
    text = "".join("x" if flag else " " for flag in flags)
    return [len(run) for run in text.split()]


class TestLapses:
    def test_pauses_are_short_and_come_every_second_or_two(self):
        lapses = Lapses(np.random.default_rng(0), pause_s=0.5, slips=0.0)
        pauses = runs([lapses.is_pausing(tick * TICK_S) for tick in range(1800)])
        assert 20 < len(pauses) < 60
        assert max(pauses) <= 0.5 / TICK_S + 1
        assert max(pauses) > 10

    def test_without_them_there_is_neither_pause_nor_slip(self):
        lapses = Lapses(np.random.default_rng(0), pause_s=0.0, slips=0.0)
        assert not any(lapses.is_pausing(tick * TICK_S) for tick in range(300))
        assert not any(lapses.is_slipping(TICK_S, holds=True) for _ in range(300))

    def test_something_slips_once_and_only_while_it_is_held(self):
        lapses = Lapses(np.random.default_rng(0), pause_s=0.0, slips=1.0)
        assert not any(lapses.is_slipping(TICK_S, holds=False) for _ in range(300))
        slips = runs([lapses.is_slipping(TICK_S, holds=True) for _ in range(300)])
        assert slips == [pytest.approx(0.3 / TICK_S, abs=1)]

    def test_as_many_episodes_as_asked_have_a_slip(self):
        def slips(seed):
            lapses = Lapses(np.random.default_rng(seed), pause_s=0.0, slips=0.2)
            return any(lapses.is_slipping(TICK_S, holds=True) for _ in range(90))

        assert 0.1 < np.mean([slips(seed) for seed in range(300)]) < 0.3


def view(hand, gripper=OPEN_RAD, grasped=()):
    position = np.array(hand, float)
    return View(hand=position, hand_axes=np.eye(3), gripper_rad=gripper, objects={}, grasped=frozenset(grasped))


def wish(position, gripper=OPEN_RAD):
    return Wish(position=np.array(position, float), roll=0.1, gripper_rad=gripper)


class TestRetreat:
    def heights(self, seen, wanted, seconds=2.0):
        retreat = Retreat(0.0)
        ticks = range(round(seconds / TICK_S))
        return [retreat.reconsider(wanted, seen(tick * TICK_S), tick * TICK_S).position[2] for tick in ticks]

    def test_a_hand_that_stands_still_short_of_its_goal_goes_up_for_half_a_second(self):
        heights = self.heights(lambda _: view((0.2, 0, 0.035)), wish((0.2, 0, 0.016)), seconds=1.6)
        up = [height > 0.09 for height in heights]
        assert runs(up) == [pytest.approx(0.5 / TICK_S, abs=1)]
        assert not any(up[: round(0.8 / TICK_S)])

    def test_one_that_moves_or_has_arrived_goes_on(self):
        assert max(self.heights(lambda now: view((0.2 + 0.05 * now, 0, 0.035)), wish((0.4, 0, 0.016)))) == 0.016
        assert max(self.heights(lambda _: view((0.2, 0, 0.018)), wish((0.2, 0, 0.016)))) == 0.016

    def test_fingers_that_close_on_something_wedged_open_again(self):
        retreat, wanted = Retreat(0.0), wish((0.2, 0, 0.016), HOLD_RAD)
        grips = [
            retreat.reconsider(wanted, view((0.2 + 0.02 * tick * TICK_S, 0, 0.016), 0.3), tick * TICK_S).gripper_rad
            for tick in range(30)
        ]
        assert grips[0] == HOLD_RAD
        assert grips[-1] == OPEN_RAD
        assert retreat.count == 1

    def test_what_is_held_is_not_dropped(self):
        retreat, wanted = Retreat(0.0), wish((0.2, 0, 0.2), HOLD_RAD)
        for tick in range(30):
            given = retreat.reconsider(wanted, view((0.2, 0, 0.03), HOLD_RAD + 0.05, ("red",)), tick * TICK_S)
        assert retreat.count == 1
        assert given.gripper_rad == HOLD_RAD


def test_the_hard_preset_is_as_the_hard_table_asks():
    assert Config.hard() == Config(speed=(0.6, 1.4), pause_s=0.5, slips=0.2)


@pytest.mark.parametrize("wrong", [{"speed": (1.0, 0.5)}, {"speed": (0.0, 1.0)}, {"pause_s": -1.0}, {"slips": 1.5}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Config(**wrong)
