import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from etude.hardware.gate import START_SPEED, Gate

NAMES = ("pan.pos", "gripper.pos")
LOW, HIGH = np.array([-90.0, 0.0], np.float32), np.array([90.0, 100.0], np.float32)
TICK = 1 / 30


def made(reach=np.inf, speed=240.0, at=(0.0, 50.0)):
    gate = Gate(NAMES, LOW, HIGH, max_reach=np.full(2, reach), max_speed=speed)
    gate.start(np.array(at, np.float32), 0.0)
    return gate


def act(*values):
    return np.array(values, np.float32)


def led(gate, action, ticks, first=0):
    """Send the same action for some ticks, with joints that follow at once; give the path."""
    path = []
    for tick in range(first, first + ticks):
        applied, _ = gate.admit(action, tick * TICK)
        gate.see(applied, (tick + 1) * TICK)
        path.append(applied)
    return np.array(path)


def test_small_legal_actions_pass_untouched():
    applied, reasons = made().admit(act(1.0, 49.5), 0.0)
    np.testing.assert_array_equal(applied, act(1.0, 49.5))
    assert applied.dtype == np.float32
    assert reasons == ()


def test_limits():
    gate = made(at=(89.5, 50.0))
    applied, reasons = gate.admit(act(91.0, 50.0), 0.0)
    np.testing.assert_array_equal(applied, act(90.0, 50.0))
    assert reasons == ("pan.pos is beyond its limits: asked for 91.0, given 90.0",)


def test_the_start_is_gentle_and_then_it_is_not():
    gate = made()
    path = led(gate, act(60.0, 50.0), 60)
    steps = np.diff(path[:, 0], prepend=0.0)
    assert steps[0] == pytest.approx(START_SPEED * TICK)
    assert (np.diff(steps[:15]) > 0).all()
    assert path[-1, 0] == 60.0
    applied, reasons = gate.admit(act(0.0, 50.0), 60 * TICK)
    assert 60.0 - applied[0] == pytest.approx(240 * TICK)
    assert reasons == ("pan.pos is faster than allowed: asked for 0.0, given 52.0",)


def test_an_arm_that_is_led_from_where_it_is_never_waits():
    gate, pan = made(), 0.0
    for tick in range(30):
        pan += min(0.1 * tick, 5.0)
        applied, _ = gate.admit(act(pan, 50.0), tick * TICK)
        assert applied[0] == np.float32(pan)


def test_a_joint_that_is_there_need_not_wait_for_the_others():
    gate = made()
    for tick in range(3):
        gate.admit(act(60.0, 50.0), tick * TICK)
    applied, _ = gate.admit(act(60.0, 57.0), 3 * TICK)
    assert applied[0] < 10
    assert applied[1] == 57


def test_a_pause_does_not_save_up_speed():
    gate = made()
    led(gate, act(0.0, 50.0), 3)
    applied, _ = gate.admit(act(90.0, 50.0), 100.0)
    assert applied[0] == pytest.approx(24.0)


def test_reach_is_counted_from_where_the_joint_is():
    gate = made(reach=1.5)
    applied, reasons = gate.admit(act(2.0, 50.0), 0.0)
    assert applied[0] == 1.5
    assert reasons == ("pan.pos is too far from where the joint is: asked for 2.0, given 1.5",)
    applied, _ = gate.admit(act(2.0, 50.0), TICK)
    assert applied[0] == 1.5, "it has not moved, so it may go no farther"
    gate.see(act(1.0, 50.0), 2 * TICK)
    applied, _ = gate.admit(act(4.0, 50.0), 2 * TICK)
    assert applied[0] == 2.5


def test_what_is_not_a_number_holds_the_joint():
    gate = made()
    gate.admit(act(1.0, 50.0), 0.0)
    applied, reasons = gate.admit(act(np.nan, 51.0), TICK)
    np.testing.assert_array_equal(applied, act(1.0, 51.0))
    assert reasons == ("pan.pos is not a number: asked for nan, given 1.0",)


def test_after_the_pose_jumped_it_leaves_from_there_and_gently():
    gate = made()
    led(gate, act(0.0, 50.0), 10)
    gate.see(act(-60.0, 20.0), 10 * TICK)
    applied, _ = gate.admit(act(0.0, 20.0), 10 * TICK)
    np.testing.assert_allclose(applied, act(-60.0 + START_SPEED * TICK, 20.0))


def test_a_pose_that_changed_in_no_time_is_a_new_start():
    gate = made()
    led(gate, act(0.0, 50.0), 10)
    gate.see(act(0.5, 50.0), 10 * TICK)
    applied, _ = gate.admit(act(20.0, 50.0), 10 * TICK)
    assert applied[0] == pytest.approx(0.5 + START_SPEED * TICK)


def test_a_fast_arm_is_not_taken_for_a_jump():
    gate = made()
    led(gate, act(0.0, 50.0), 10)
    gate.see(act(10.0, 50.0), 10 * TICK + TICK)
    applied, _ = gate.admit(act(5.0, 50.0), 11 * TICK)
    assert applied[0] == 5.0


def test_a_clock_that_begins_again_is_a_new_start():
    gate = made()
    led(gate, act(0.0, 50.0), 30)
    gate.see(act(0.0, 50.0), 0.0)
    applied, _ = gate.admit(act(1.0, 50.0), 0.0)
    assert applied[0] == 1.0


@given(st.lists(arrays(np.float32, 2, elements=st.floats(width=32)), max_size=20))
def test_whatever_is_asked_stays_within_limits_and_speed(actions):
    gate = made()
    before = act(0.0, 50.0)
    for tick, action in enumerate(actions):
        applied, _ = gate.admit(action, tick * TICK)
        assert np.isfinite(applied).all()
        assert (applied >= LOW).all()
        assert (applied <= HIGH).all()
        assert np.abs(applied - before).max() <= 240 * TICK + 1e-3
        gate.see(applied, (tick + 1) * TICK)
        before = applied
