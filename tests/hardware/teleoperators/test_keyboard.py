import numpy as np
import pytest

from etude.core.clock import SimClock
from etude.core.errors import ConfigError
from etude.hardware.teleoperators.keyboard.config import Config
from etude.hardware.teleoperators.keyboard.keys import FedKeys
from etude.hardware.teleoperators.keyboard.teleoperator import build

TICK_S = 1 / 30


class Desk:
    """A keyboard, the keys fed to it, and its time."""

    def __init__(self, **config):
        self.clock, self.keys = SimClock(), FedKeys()
        self.keyboard = build(Config(**config), lambda: self.keys, self.clock)
        self.keyboard.connect()
        self.names = self.keyboard.action.names

    def ticks(self, num=1):
        """How far everything moved in `num` ticks, what moved only."""
        total = np.zeros(len(self.names))
        for _ in range(num):
            self.clock.sleep_until(self.clock.now() + TICK_S)
            total += self.keyboard.read()
        return {name: value for name, value in zip(self.names, total, strict=True) if value}

    def hold(self, keys, num):
        """Hold keys down for `num` ticks, in which the terminal sends them again and again."""
        total = {}
        for _ in range(num):
            self.keys.press(*keys)
            total = {name: total.get(name, 0) + value for name, value in (total | self.ticks()).items()}
        return total


def test_a_tap_moves_the_hand_for_as_long_as_a_key_counts_as_held():
    desk = Desk()
    desk.keys.press("w")
    # Heard at the first tick, held for 0.12 s: four ticks of 1/30 s at 0.08 m/s.
    assert desk.ticks(30) == {"hand.x.step": pytest.approx(4 * TICK_S * 0.08)}


@pytest.mark.parametrize(
    ("key", "name", "sign"),
    [("w", "hand.x", 1), ("d", "hand.y", -1), ("t", "hand.z", 1), ("down", "hand.z", -1), ("h", "hand.pitch", 1),
     ("u", "hand.roll", 1), ("o", "gripper", 1), ("l", "gripper", -1)],
)  # fmt: skip
def test_each_key_moves_its_axis(key, name, sign):
    desk = Desk()
    desk.keys.press(key)
    moved = desk.ticks()
    assert list(moved) == [f"{name}.step"]
    assert np.sign(moved[f"{name}.step"]) == sign


def test_keys_in_quick_succession_move_together():
    desk = Desk()
    desk.keys.press("w", "a")
    assert set(desk.ticks()) == {"hand.x.step", "hand.y.step"}


def test_the_other_key_of_a_pair_turns_round_at_once():
    desk = Desk()
    desk.keys.press("w", "s")
    assert desk.ticks()["hand.x.step"] < 0


def test_space_stops_everything_at_once():
    desk = Desk()
    desk.keys.press("w", "a")
    desk.ticks()
    desk.keys.press("space")
    assert desk.ticks(5) == {}


def test_nothing_held_is_no_step():
    assert Desk().ticks(10) == {}


def test_plus_and_minus_change_the_speed_within_bounds():
    slow, fast = Desk(), Desk()
    fast.keys.press("+", "=")
    for desk in (slow, fast):
        desk.keys.press("w")
    assert fast.ticks()["hand.x.step"] == pytest.approx(1.25**2 * slow.ticks()["hand.x.step"])
    fast.keys.press(*"-" * 100, "w")
    slow.keys.press("w")
    assert fast.ticks()["hand.x.step"] == pytest.approx(0.1 * slow.ticks()["hand.x.step"])


def test_joints_are_turned_by_pairs_of_keys():
    desk = Desk(mode="joints")
    desk.keys.press("d", "m")
    assert desk.ticks() == {
        "elbow_flex.step": pytest.approx(30 * TICK_S),
        "gripper.step": pytest.approx(-60 * TICK_S),
    }


def test_a_reset_forgets_what_was_held_and_typed():
    desk = Desk()
    desk.keys.press("w")
    desk.ticks()
    desk.keys.press("a")
    desk.keyboard.reset(1)
    assert desk.ticks() == {}


def test_after_a_pause_the_hand_does_not_leap():
    desk = Desk()
    desk.clock.sleep_until(60)
    desk.keys.press("w")
    assert desk.ticks()["hand.x.step"] == pytest.approx(0.1 * 0.08)


def test_it_tells_what_its_keys_do():
    assert "hand: x: w + s -   y: a + d -   z: t + g -" in Desk().keyboard.invitation
    assert "joints: shoulder_pan: a + z -" in Desk(mode="joints").keyboard.invitation


@pytest.mark.parametrize(
    ("config", "problem"),
    [({"keys": ("a",)}, "two different keys"), ({"keys": ("qa",)}, "mean something else"),
     ({"mode": "joints", "joints": tuple("abcdefghi")}, "as many pairs"), ({"hand_speed_m_s": 0}, "positive"),
     ({"mode": "joints", "joints": ()}, "needs joints"), ({"joints": ("a", "a")}, "named once"),
     ({"hold_s": 0}, "hold_s")],
)  # fmt: skip
def test_a_config_that_makes_no_sense_is_refused(config, problem):
    with pytest.raises(ConfigError, match=problem):
        Config(**config)
