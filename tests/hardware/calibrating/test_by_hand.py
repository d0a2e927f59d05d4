import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.hardware.calibrating import Answer, Hold, Look, Sweep, Swept, by_hand, keep
from etude.hardware.calibrating.checks import moved_together
from etude.hardware.calibration import Norm, Scale
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER

from .conftest import RANGES, TURN, BenchBus, Hand

NORMS = [Norm.RANGE_0_100 if motor == "gripper" else Norm.DEGREES for motor in SO101_FOLLOWER.motors]


def calibrated(bus, hand):
    return hand.run(by_hand(SO101_FOLLOWER, bus))


@settings(max_examples=40)
@given(
    zeros=st.lists(st.integers(0, TURN - 1), min_size=6, max_size=6),
    joints=st.lists(st.floats(0.02, 0.98), min_size=6, max_size=6),
)
def test_units_are_the_joints_angles_wherever_the_horns_sit(tmp_path_factory, zeros, joints):
    bus = BenchBus(SO101_FOLLOWER.motors, dict(zip(SO101_FOLLOWER.motors, zeros, strict=True)))
    done = calibrated(bus, Hand(bus))
    assert done.findings == ()
    keep(SO101_FOLLOWER, bus, tmp_path_factory.mktemp("c") / "arm.json", done.calibration)
    for (joint, (low, high)), share in zip(RANGES.items(), joints, strict=True):
        bus.rad[joint] = low + share * (high - low)
    ticks = np.array(list(bus.sync_read("Present_Position").values()))
    units = Scale(done.calibration, NORMS).to_units(ticks)
    for joint, (low, high), unit, share in zip(RANGES, RANGES.values(), units, joints, strict=True):
        if joint == "gripper":
            assert unit == pytest.approx(100 * share, abs=0.2)
            continue
        middle = 0.0 if joint == "wrist_roll" else (low + high) / 2
        assert unit == pytest.approx(math.degrees(low + share * (high - low) - middle), abs=0.3)


@pytest.mark.parametrize("zero", [0, 1, 2047, 2048, 4095])
def test_the_middle_of_every_range_is_the_middle_of_the_turn(so101, hand, zero):
    bus = so101(**dict.fromkeys(SO101_FOLLOWER.motors, zero))
    for motor, values in calibrated(bus, hand(bus)).calibration.items():
        if motor == "wrist_roll":
            assert (values.range_min, values.range_max) == (0, 4095)
        else:
            assert (values.range_min + values.range_max) // 2 in (2047, 2048)
        assert abs(values.homing_offset) <= 2047
        assert values.drive_mode == 0
        assert values.id == SO101_FOLLOWER.motors[motor].id


def test_offsets_worked_out_by_hand(so101, hand):
    # At zero the pan's encoder shows 100 and its range is 110 degrees to each side: 1252 ticks, so -1152 to 1352. Its
    # middle, 100, is to read 2047, and the motor subtracts: 100 - 2047.
    bus = so101(shoulder_pan=100)
    pan = calibrated(bus, hand(bus)).calibration["shoulder_pan"]
    assert pan.homing_offset == 100 - 2047
    assert (pan.range_min, pan.range_max) == (2047 - 1252, 2047 + 1252)


def test_a_motor_that_stands_at_the_end_of_its_encoder_needs_no_offset_too_great(so101, hand):
    # The middle shows 4095: LeRobot would store 4095 - 2047 = 2048, which the register does not hold.
    bus = so101(elbow_flex=4095)
    elbow = calibrated(bus, hand(bus)).calibration["elbow_flex"]
    assert elbow.homing_offset == 2047
    assert (elbow.range_min + elbow.range_max) // 2 == 2048


def test_what_the_motors_held_before_does_not_matter(so101, hand):
    fresh, used = so101(shoulder_pan=900), so101(shoulder_pan=900)
    used.registers["shoulder_pan"]["Homing_Offset"] = -777
    assert calibrated(fresh, hand(fresh)).calibration == calibrated(used, hand(used)).calibration


def test_nothing_is_written_before_the_end_but_the_torque_goes_off(so101, hand):
    bus = so101()
    calibrated(bus, hand(bus))
    assert {(name, value) for name, _, value in bus.written} == {("Torque_Enable", 0)}


def test_it_asks_for_the_ranges_then_for_the_middle(so101, hand):
    bus = so101()
    person = hand(bus)
    calibrated(bus, person)
    assert [type(step) for step in person.seen] == [Sweep, Hold]
    hold = person.seen[-1]
    assert hold.picture == "so101"
    assert hold.pose_deg["shoulder_pan"] == 0
    assert hold.pose_deg["gripper"] == pytest.approx(-10)


def test_the_live_values_tell_how_far_each_joint_has_come(so101):
    bus = so101()
    steps = by_hand(SO101_FOLLOWER, bus)
    next(steps)
    bus.rad["shoulder_pan"] = math.radians(45)
    pan = steps.send(None).joints["shoulder_pan"]
    assert pan.moved_deg == pytest.approx(45, abs=0.1)
    assert pan.share == pytest.approx(45 / 220, abs=0.001)
    assert pan.low < pan.now == pan.high
    assert "wrist_roll" not in steps.send(None).joints


def test_joints_that_were_hardly_moved_are_named_with_how_far_and_can_be_moved_then(so101, hand):
    bus = so101()
    person = hand(bus, share={"elbow_flex": 0.02})

    def try_harder(look):
        person.share.clear()
        return Answer.NEXT

    person.decide = try_harder
    done = calibrated(bus, person)
    look = next(step for step in person.seen if isinstance(step, Look))
    assert not look.may_accept
    assert look.findings[0].sentence == "elbow_flex was hardly moved: 4 of 194 degrees. Move it to both of its ends."
    assert done.findings == ()


def test_a_range_that_is_too_short_for_the_body_is_shown_and_may_be_accepted(so101, hand):
    bus = so101()
    done = calibrated(bus, hand(bus, share={"shoulder_lift": 0.5}))
    assert [finding.motor for finding in done.findings] == ["shoulder_lift"]
    assert "through 100 degrees; this arm allows 200" in done.findings[0].sentence


def test_doing_it_again_forgets_the_first_time(so101, hand):
    bus = so101()
    person = hand(bus, share={"shoulder_lift": 0.5})

    def again(look):
        person.share.clear()
        return Answer.AGAIN

    person.decide = again
    assert calibrated(bus, person).findings == ()


def test_a_joint_that_turns_round_and_round_is_told(so101, hand):
    bus = so101()
    steps = by_hand(SO101_FOLLOWER, bus)
    next(steps)
    for joint, (low, high) in RANGES.items():
        for rad in (low / 2, low, low / 2, 0, high / 2, high):
            bus.rad[joint] = rad
            steps.send(None)
    for turn in range(20):
        bus.rad["shoulder_pan"] = turn * 0.4
        steps.send(None)
    look = steps.send(Answer.NEXT)
    assert isinstance(look, Look)
    assert [finding.motor for finding in look.findings] == ["shoulder_pan"]
    assert "more than a turn" in look.findings[0].sentence
    assert steps.send(Answer.NEXT).joints["shoulder_pan"].moved_deg == 0


def test_a_gripper_that_works_the_wrong_way_round_is_told(so101, hand):
    bus = so101()
    done = calibrated(bus, hand(bus, held={"gripper": RANGES["gripper"][1]}))
    assert "shows 100% of its range, where it should be open" in done.findings[0].sentence


def test_a_middle_that_is_not_the_middle_is_told(so101, hand):
    bus = so101()
    done = calibrated(bus, hand(bus, held={"elbow_flex": math.radians(60)}))
    assert done.findings[0].sentence.startswith("elbow_flex is 60 degrees from the middle of the range")


def test_exchanged_motors_are_told_by_the_order_in_which_they_move(so101, hand):
    bus = so101()
    order = ["shoulder_pan", "elbow_flex", "shoulder_lift", "wrist_flex", "gripper"]
    done = calibrated(bus, hand(bus, order=order))
    assert [finding.sentence.split(".")[0] for finding in done.findings] == [
        "elbow_flex was moved before shoulder_lift"
    ]
    assert not done.findings[0].is_serious


def test_joints_that_only_move_together_are_told(so101):
    bus = so101()
    steps = by_hand(SO101_FOLLOWER, bus)
    next(steps)
    person = Hand(bus, order=["shoulder_pan", "shoulder_lift", "elbow_flex", "gripper"], step_rad=0.05)
    for _ in person._path():
        bus.rad["wrist_flex"] = bus.rad["elbow_flex"] * 0.95
        steps.send(None)
    steps.send(Answer.NEXT)
    person._hold()
    sentences = [finding.sentence for finding in steps.send(Answer.NEXT).findings]
    assert any(sentence.startswith("elbow_flex and wrist_flex always moved together") for sentence in sentences)


def test_an_arm_whose_joints_were_all_moved_at_once_gets_one_sentence_not_one_for_each_pair():
    way = np.concatenate([np.arange(0, 1000, 10), np.arange(1000, 0, -10)])
    history = [{"a": int(tick), "b": int(2000 - tick), "c": int(tick + 5)} for tick in way]
    swept = {motor: Swept(low=0, now=0, high=1000, resolution=TURN) for motor in "abc"}
    (finding,) = moved_together(swept, history)
    assert finding.sentence.startswith("a, b and c moved together, or several of them at a time. Move one at a time")
    assert not finding.is_serious
