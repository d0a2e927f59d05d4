import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from etude.hardware.gate import START_ACCELERATION, START_SPEED, Gate, Table

NAMES = ("pan.pos", "gripper.pos")
LOW, HIGH = np.array([-90.0, 0.0], np.float32), np.array([90.0, 100.0], np.float32)
TICK = 1 / 30


def made(reach=np.inf, speed=240.0, at=(0.0, 50.0), **options):
    gate = Gate(NAMES, (LOW, HIGH), max_reach=np.full(2, reach), max_speed=speed, **options)
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


def test_it_is_the_same_however_long_the_clock_has_run():
    between = np.nextafter(np.float32(12), np.float32(16))  # 8 further on it lies halfway between two float32 numbers

    def reached(start):
        gate = made(at=(between, 50.0))
        gate.start(act(between, 50.0), start)
        gate.admit(act(between, 50.0), start + TICK)
        return float(gate.admit(act(60.0, 50.0), start + 2 * TICK)[0][0])

    assert len({reached(start) for start in np.linspace(0, 2000, 101)}) == 1


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


class TestHolding:
    def test_without_actions_it_holds_where_the_joint_is(self):
        gate = made(stale_s=0.5)
        gate.admit(act(2.0, 50.0), 0.0)
        assert not gate.is_stale(0.5)
        assert gate.is_stale(0.51)
        gate.see(act(1.0, 50.0), 0.51)
        np.testing.assert_array_equal(gate.hold(0.51), act(2.0, 50.0))

    def test_a_joint_that_lags_far_behind_is_not_pulled_on(self):
        gate = made(stale_s=0.5)
        for tick in range(30):
            gate.admit(act(60.0, 50.0), tick * TICK)
        gate.see(act(10.0, 50.0), 30 * TICK)
        held = [gate.hold((30 + tick) * TICK)[0] for tick in range(30)]
        assert np.abs(np.diff(held, prepend=60.0)).max() <= 240 * 0.1
        assert held[-1] == 13.0

    def test_an_arm_that_sags_is_not_lowered_bit_by_bit(self):
        gate = made(stale_s=0.5)
        gate.admit(act(2.0, 50.0), 0.0)
        for tick in range(20, 200):
            gate.see(act(gate.hold(tick * TICK)[0] - 2.0, 50.0), tick * TICK)
        assert gate.hold(200 * TICK)[0] == 2.0

    def test_after_a_pause_it_starts_gently(self):
        gate = made(stale_s=0.5)
        led(gate, act(0.0, 50.0), 30)
        applied, _ = gate.admit(act(60.0, 50.0), 10.0)
        assert applied[0] == pytest.approx(START_SPEED * TICK)

    def test_also_when_it_was_held_meanwhile(self):
        gate = made(stale_s=0.5)
        led(gate, act(0.0, 50.0), 30)
        for tick in range(60, 90):
            gate.hold(tick * TICK)
        applied, _ = gate.admit(act(60.0, 50.0), 90 * TICK)
        assert applied[0] == pytest.approx(START_SPEED * TICK)

    def test_stopped_it_obeys_nobody_and_says_why(self):
        gate = made()
        led(gate, act(0.0, 50.0), 30)
        gate.stop("the elbow is hot")
        applied, reasons = gate.admit(act(60.0, 50.0), 31 * TICK)
        np.testing.assert_array_equal(applied, act(0.0, 50.0))
        assert reasons == ("the arm holds still: the elbow is hot",)
        gate.resume(32 * TICK)
        applied, _ = gate.admit(act(60.0, 50.0), 32 * TICK)
        assert applied[0] == pytest.approx(START_SPEED * TICK)


class TestTable:
    """A hand whose height is 0.5 m less a hundredth of the first joint."""

    def made(self, at):
        return made(at=at, table=Table(0.1, lambda joints: 0.5 - joints[0] / 100))

    def test_it_stops_at_the_plane_and_says_so(self):
        gate = self.made(at=(39.5, 50.0))
        applied, reasons = gate.admit(act(41.5, 50.0), 0.0)
        assert 39.5 < applied[0] <= 40.0
        assert "pan.pos would lead the hand below the table" in reasons[0]

    def test_along_the_plane_other_joints_move_freely(self):
        gate = self.made(at=(39.99, 50.0))
        applied, _ = gate.admit(act(41.0, 51.0), 0.0)
        assert applied[1] == 51.0

    def test_from_below_it_may_only_rise(self):
        gate = self.made(at=(50.0, 50.0))
        applied, _ = gate.admit(act(51.0, 50.0), 0.0)
        assert applied[0] <= 50.0
        applied, _ = gate.admit(act(49.0, 50.0), TICK)
        assert applied[0] == 49.0


poses = arrays(np.float32, 2, elements=st.floats(-90, 90, width=32))
moments = st.lists(st.floats(0, 2), min_size=1, max_size=25)


def test_what_an_arm_does_before_anything_is_sent_after_a_jump_is_where_it_leaves_from():
    gate = made(stale_s=0.5)
    gate.admit(act(0.0, 0.0), 0.0)
    gate.see(act(0.0, 0.0), 0.0)
    gate.see(act(25.0, 25.0), 1.0)
    applied, _ = gate.admit(act(0.0, 0.0), 1.0)
    assert (np.abs(applied - 25.0) <= START_SPEED * 0.1).all()


@settings(max_examples=60)
@given(moments, st.data())
def test_whatever_is_asked_seen_or_waited_for_no_step_is_too_long(waits, data):
    """Measured from what was sent before or, where somebody else moved the arm, from where it is."""
    gate = made(stale_s=0.5, table=Table(0.0, lambda joints: float(80.0 - joints.sum())))
    now, sent = 0.0, act(0.0, 50.0)
    for wait in waits:
        now += wait
        what = data.draw(st.sampled_from(["act", "see", "hold", "stop", "resume"]))
        if what == "see":
            gate.see(data.draw(poses), now)
        elif what == "stop":
            gate.stop("why not")
        elif what == "resume":
            gate.resume(now)
        else:
            wish = data.draw(arrays(np.float32, 2, elements=st.floats(width=32)))
            applied = gate.admit(wish, now)[0] if what == "act" else gate.hold(now)
            step = np.minimum(np.abs(applied - sent), np.abs(applied - gate.measured)).max()
            assert step <= 240 * 0.1 + 1e-3
            sent = applied


@given(poses, poses)
def test_from_any_pose_the_start_keeps_to_the_ramp(pose, goal):
    pose, goal = np.clip(pose, LOW, HIGH), np.clip(goal, LOW, HIGH)
    gate, sent = made(at=pose), pose
    for tick in range(60):
        applied, _ = gate.admit(goal, tick * TICK)
        ramp = min(START_SPEED + START_ACCELERATION * tick * TICK, 240.0)
        assert np.abs(applied - sent).max() <= ramp * TICK + 1e-3
        gate.see(applied, (tick + 1) * TICK)
        sent = applied
