"""What a follower does about people who stop it and motors that feel bad or lost their power."""

import re
from dataclasses import replace

import numpy as np
import pytest

from etude.core.frame import STATE
from etude.hardware import robots
from etude.hardware.follower import Follower
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER


def live(arm, robot, goal, ticks):
    """Ask for `goal` again and again; give what was applied and what was said."""
    applied, said = [], []
    for _ in range(ticks):
        robot.observe()
        applied.append(robot.apply(np.array(goal, np.float32)))
        said += [*robot.events, *robot.clipped]
        arm.rest(1 / 30)
    return np.array(applied), said


def test_stopped_it_holds_until_it_may_go_on(arm, robot):
    live(arm, robot, [20, 0, 0, 0, 0, 50], 30)
    robot.stop()
    applied, said = live(arm, robot, [-40, 0, 0, 0, 0, 50], 10)
    assert np.ptp(applied[:, 0]) < 0.5
    assert set(said) == {"the arm holds still: you asked for it"}
    assert robot.health().warnings == ("The arm holds still: you asked for it.",)
    robot.resume()
    applied, _ = live(arm, robot, [-40, 0, 0, 0, 0, 50], 60)
    assert applied[-1, 0] == -40


def test_limp_it_gets_no_goals(arm, robot):
    robot.observe()
    robot.limp("the person pressed the red key")
    arm.line.sent.clear()
    robot.stop()
    applied, said = live(arm, robot, [30, 0, 0, 0, 0, 50], 3)
    assert not [packet for packet in arm.line.sent if packet[4] == 0x83]
    assert arm.registers("Torque_Enable") == [0] * 6
    assert said[-1] == "the arm is limp: the person pressed the red key"
    assert np.abs(applied[:, 0]).max() < 1
    robot.resume()
    assert arm.registers("Torque_Enable") == [1] * 6


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda servo: setattr(servo.drive, "temperature_c", 66.0), "is too hot: 66 degrees"),
        (lambda servo: setattr(servo.drive, "supply_v", 4.2), "gets too little voltage: 4.2 V"),
    ],
)
def test_a_motor_that_feels_bad_holds_the_arm_and_says_so(arm, robot, harm, why):
    for servo in arm.servos:
        harm(servo)
    applied, said = live(arm, robot, [60, 0, 0, 0, 0, 50], 20)
    assert np.abs(applied[:, 0]).max() < 5
    assert any(why in sentence for sentence in said)
    assert any(why in sentence or "stops" in sentence for sentence in robot.health().warnings)


def test_it_goes_on_when_the_motor_is_well_again(arm, robot):
    arm.servos[1].drive.temperature_c = 66.0
    live(arm, robot, [60, 0, 0, 0, 0, 50], 30)
    arm.servos[1].drive.temperature_c = 40.0
    applied, said = live(arm, robot, [60, 0, 0, 0, 0, 50], 120)
    assert applied[-1, 0] == 60
    assert said[-1] != "the arm holds still"


def test_a_person_who_stops_an_arm_that_was_stopped_already_has_the_last_word(arm, robot):
    arm.servos[1].drive.temperature_c = 66.0
    live(arm, robot, [60, 0, 0, 0, 0, 50], 30)
    robot.stop()
    arm.servos[1].drive.temperature_c = 40.0
    applied, _ = live(arm, robot, [60, 0, 0, 0, 0, 50], 90)
    assert np.ptp(applied[:, 0]) < 0.5


def test_a_much_too_hot_motor_lets_the_arm_go(arm, robot):
    arm.servos[1].drive.temperature_c = 80.0
    _, said = live(arm, robot, [60, 0, 0, 0, 0, 50], 30)
    assert arm.registers("Torque_Enable") == [0] * 6
    assert "The arm went limp: Motor 'shoulder_lift' (id 2) is too hot: 80 degrees." in said


def test_without_actions_it_goes_no_farther_than_it_was_sent(arm, robot):
    applied, _ = live(arm, robot, [80, 0, 0, 0, 0, 50], 20)
    assert applied[-1, 0] < 70, "it is on its way"
    for _ in range(60):
        arm.rest(1 / 30)
        robot.observe()
    assert robot.observe()[STATE][0] == pytest.approx(applied[-1, 0], abs=3)


def test_a_motor_that_lost_its_power_is_set_up_again_where_it_is(arm, robot):
    live(arm, robot, [20, 0, 0, 0, 0, 50], 30)
    arm.servos[0].is_silent = True
    live(arm, robot, [20, 0, 0, 0, 0, 50], 2)
    assert list(arm.line.sent[-1][7:-1:3]) == [2, 3, 4, 5, 6], "no goal wakes it up before it is looked after"
    arm.servos[0].power_cycle()
    arm.servos[0].is_silent = False
    _, said = live(arm, robot, [20, 0, 0, 0, 0, 50], 5)
    assert "Motor 'shoulder_pan' had lost its power." in said
    assert arm.registers("Torque_Enable") == [1] * 6
    assert arm.registers("Acceleration") == [254] * 6


def test_a_motor_in_doubt_gets_no_goal_by_a_stop_either(arm, robot):
    live(arm, robot, [20, 0, 0, 0, 0, 50], 3)
    robot._doubtful = {"shoulder_pan"}
    arm.servos[0].memory.set("Goal_Position", 1234)
    robot.stop()
    assert arm.registers("Goal_Position")[0] == 1234
    assert arm.registers("Goal_Position")[1] != 1234


def test_no_part_of_the_hand_is_sent_below_the_table(arm, config):
    robot = robots.build(replace(config, table_height_m=0.0))
    robot.connect()
    applied, said = live(arm, robot, [0, 80, 20, 60, 0, 50], 90)
    lowest = [robot._gate._table._lowest(action.astype(float)) for action in applied]
    assert min(lowest) > -0.002
    assert any("below the table" in sentence for sentence in said)
    robot.disconnect()


MODEL = """<mujoco><worldbody><body name="base"><geom type="box" size=".05 .05 .02" pos="0 0 .02"/>
<body name="upper" pos="0 0 .1"><joint name="shoulder_pan" axis="0 0 1" limited="true" range="-110 110"/>
<geom type="box" size=".01 .01 .01"/><body name="arm">
<joint name="shoulder_lift" axis="0 1 0" limited="true" range="-100 100"/>
<geom type="box" size=".15 .01 .01" pos=".15 0 0"/><body name="fore" pos=".3 0 0">
<joint name="elbow_flex" axis="0 1 0" limited="true" range="-97 97"/><joint name="wrist_flex" axis="0 0 1"/>
<joint name="wrist_roll" axis="1 0 0"/><geom type="box" size=".01 .01 .01"/>
<body name="jaw" pos=".02 0 0"><joint name="gripper" axis="0 0 1" limited="true" range="-10 100"/>
<geom type="box" size=".01 .01 .01"/></body></body></body></body></body></worldbody></mujoco>"""


def test_a_body_from_a_file_has_a_table_too(arm, config, tmp_path):
    model = tmp_path / "crane.xml"
    model.write_text(MODEL)
    robot = Follower(replace(SO101_FOLLOWER, body=str(model)), replace(config, table_height_m=0.0))
    robot.connect()
    applied, said = live(arm, robot, [0, 80, 0, 0, 0, 50], 90)
    # The tip box ends 1 cm below an axis 30 cm out, which stands 10 cm up: it touches the plane at 17.5 degrees or so.
    assert 14 < max(action[1] for action in applied) < 20
    assert any("below the table" in sentence for sentence in said)
    robot.disconnect()


def test_a_model_without_shapes_is_no_obstacle_and_is_told(arm, config, tmp_path):
    model = tmp_path / "bare.xml"
    model.write_text(re.sub("<geom[^>]*/>", '<inertial pos="0 0 0" mass=".1" diaginertia=".01 .01 .01"/>', MODEL))
    robot = Follower(replace(SO101_FOLLOWER, body=str(model)), replace(config, table_height_m=0.0))
    robot.connect()
    assert any("Nothing keeps the hand from the table" in warning for warning in robot.health().warnings)
    robot.disconnect()
