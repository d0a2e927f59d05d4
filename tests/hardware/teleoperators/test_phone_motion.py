"""Between a phone and a hand: WebXR's axes are x right, y up, z backward; the arm's x forward, y left, z up."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.hardware.teleoperators.phone.motion import LONGEST_JUMP_M, Motion, PhonePose

UPRIGHT = (1.0, 0.0, 0.0, 0.0)
FLAT = (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)  # the screen up, the top edge away


def turned(axis, angle, start=UPRIGHT):
    """`start`, then turned about an axis of the room (WebXR's) by an angle."""
    half = np.array([math.cos(angle / 2), *(math.sin(angle / 2) * np.array(axis, float))])
    (a, b, c, d), (e, f, g, h) = half, start
    return (a * e - b * f - c * g - d * h, a * f + b * e + c * h - d * g, a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e)  # fmt: skip


def pose(position=(0, 0, 0), quaternion=UPRIGHT):
    return PhonePose.from_message(
        {"position": dict(zip("xyz", position, strict=True)), "orientation": dict(zip("wxyz", quaternion, strict=True))}
    )


def moved(*poses, **options):
    """What the hand does when a phone goes through poses with Move held, 20 ms apart."""
    motion = Motion(**options)
    for place, one in enumerate(poses):
        motion.see(one, is_moving=True, now=0.02 * place)
    return {name.removeprefix("hand."): value for name, value in motion.take().items() if abs(value) > 1e-9}


@pytest.mark.parametrize("held", [UPRIGHT, FLAT])
@pytest.mark.parametrize(
    ("by", "axis", "sign"),
    [((0, 0, -0.02), "x", 1), ((-0.02, 0, 0), "y", 1), ((0, 0.02, 0), "z", 1), ((0, 0, 0.02), "x", -1)],
)
def test_the_hand_goes_where_the_phone_goes(held, by, axis, sign):
    assert moved(pose(quaternion=held), pose(by, held)) == {axis: pytest.approx(sign * 0.02)}


def test_forward_is_where_the_phone_points_when_move_is_pressed():
    left = turned((0, 1, 0), math.pi / 2)  # the person faces left: WebXR's minus x
    assert moved(pose(quaternion=left), pose((-0.02, 0, 0), left)) == {"x": pytest.approx(0.02)}


@pytest.mark.parametrize(
    ("axis", "name", "sign"), [((1, 0, 0), "pitch", -1), ((0, 0, -1), "roll", 1), ((0, 1, 0), "yaw", 0)]
)
def test_the_hand_turns_as_the_phone_turns(axis, name, sign):
    # About WebXR's x the top edge comes up and back: the hand lifts. About minus z it turns clockwise for who holds it.
    found = moved(pose(), pose(quaternion=turned(axis, 0.2)))
    assert found == ({name: pytest.approx(sign * 0.2)} if sign else {})


def test_nothing_moves_unless_move_is_pressed():
    motion = Motion()
    for place in range(5):
        motion.see(pose((0, 0, -0.01 * place)), is_moving=False, now=0.02 * place)
    assert not any(motion.take().values())


def test_letting_go_to_reposition_does_not_count():
    motion = Motion()
    motion.see(pose(), is_moving=True, now=0)
    motion.see(pose((0, 0, -0.03)), is_moving=False, now=0.02)
    motion.see(pose((0, 0, 0.03)), is_moving=True, now=0.04)
    motion.see(pose((0, 0, 0.02)), is_moving=True, now=0.06)
    assert motion.take()["hand.x"] == pytest.approx(0.01)


def test_a_jump_is_refused_and_counted():
    motion = Motion()
    places = [0, 0.01, 0.07, 0.08]  # 6 cm at once
    for tick, place in enumerate(places):
        motion.see(pose((0, 0, -place)), is_moving=True, now=0.02 * tick)
    assert motion.take()["hand.x"] == pytest.approx(0.02)
    assert motion.jumps == 1
    assert moved(pose(), pose(quaternion=turned((1, 0, 0), math.radians(36)))) == {}
    assert moved(pose(), pose(quaternion=turned((1, 0, 0), math.radians(180)))) == {}
    assert moved(pose(), pose(quaternion=turned((1, 0, 0), math.radians(34)))) != {}


def test_after_a_silence_it_begins_anew():
    motion = Motion()
    motion.see(pose(), is_moving=True, now=0)
    motion.see(pose((0, 0, -0.03)), is_moving=True, now=1)
    assert not any(motion.take().values())


def test_what_nobody_took_does_not_pile_up():
    assert moved(*(pose((0, 0, -0.02 * place)) for place in range(20))) == {"x": pytest.approx(LONGEST_JUMP_M)}


def test_scale_shortens_ways_and_not_turns():
    found = moved(pose(), pose((0, 0, -0.02), turned((1, 0, 0), -0.1)), scale=0.5)
    assert found == {"x": pytest.approx(0.01), "pitch": pytest.approx(0.1)}


@given(st.lists(st.tuples(*[st.floats(-0.02, 0.02)] * 3), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_small_steps_add_up_to_the_whole_way(steps):
    places = np.cumsum([(0, 0, 0), *steps], axis=0)
    motion, total = Motion(), np.zeros(3)
    for tick, place in enumerate(places):
        motion.see(pose(place), is_moving=True, now=0.02 * tick)
        taken = motion.take()
        total += [taken["hand.x"], taken["hand.y"], taken["hand.z"]]
    x, y, z = places[-1]
    np.testing.assert_allclose(total, [-z, -x, y], atol=1e-9)


@pytest.mark.parametrize("broken", [{}, {"position": {"x": 0, "y": 0, "z": 0}, "orientation": dict.fromkeys("wxyz", 0)},
    {"position": {"x": float("nan"), "y": 0, "z": 0}, "orientation": {"w": 1, "x": 0, "y": 0, "z": 0}}])  # fmt: skip
def test_what_is_no_pose_is_refused(broken):
    with pytest.raises((ValueError, KeyError)):
        PhonePose.from_message(broken)
