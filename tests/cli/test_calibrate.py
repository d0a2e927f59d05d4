import json
import os
import signal
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest

from etude.cli import calibration_steps
from etude.hardware.bodies import body
from etude.hardware.calibrating import Moving
from etude.sim import makes
from etude.sim.people import Recorded
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215
from etude.sim.world import begin_world

LINKS = body("so101").links
HZ = 10


def path_of_a_hand():
    """Every joint to both ends and back to the middle, one after another; the gripper ends closed."""
    middle = np.array([sum(link.range_rad) / 2 for link in LINKS])
    rows = [middle]
    for number, link in enumerate(LINKS):
        low, high = link.range_rad
        for goal in (low, high, low if link.joint == "gripper" else middle[number]):
            last = rows[-1]
            steps = max(round(abs(goal - last[number]) / 0.3), 1)
            rows += [last + (np.arange(6) == number) * (goal - last[number]) * at / steps for at in range(1, steps + 1)]
    return np.array(rows)


class Enter:
    """A person at the keyboard who presses Enter when the hand has done what was asked for."""

    def __init__(self, world, at_s):
        self._world, self._at_s = weakref.ref(world), list(at_s)

    def readline(self):
        if not self._at_s:
            return ""
        at = self._at_s.pop(0)
        while self._world() and self._world().clock.now() < at:
            pass
        return "\n"


@pytest.fixture
def leader(monkeypatch):
    """A leader new from the box in a world of its own, with a hand that moves it; and Enter, twice."""
    offsets = [1900, -2048, 2047, 0, 700, -1500]

    def wire():
        return ServoChain([Sts3215(number, mounting_offset=at) for number, at in enumerate(offsets, 1)])

    monkeypatch.setitem(makes._LEADERS, "so101", replace(makes._LEADERS["so101"], wire=wire))
    monkeypatch.setattr(calibration_steps.time, "sleep", lambda _: None)
    world = begin_world()
    arm = world.arms.leader("so101")
    joints = path_of_a_hand()
    arm.person = Recorded(joints, HZ)
    monkeypatch.setattr(sys, "stdin", Enter(world, [len(joints) / HZ + 1] * 2))
    return world, arm


WORDS = ["calibrate", "--teleop.type=so101_leader", "--teleop.port=sim", "--teleop.id=teacher"]


def test_a_leader_is_calibrated_by_hand_from_the_terminal(etude, leader, tmp_path):
    code, _, err = etude(*WORDS, f"--teleop.calibration_dir={tmp_path}")
    assert code == 0, err
    assert "Move each joint slowly to both of its ends" in err
    assert "Hold the arm in its middle pose" in err
    stored = json.loads((tmp_path / "teacher.json").read_text())
    assert list(stored) == [link.joint for link in LINKS]
    assert list(stored["shoulder_pan"]) == ["id", "drive_mode", "homing_offset", "range_min", "range_max"]
    for link in LINKS[:4]:
        low, high = (stored[link.joint][end] for end in ("range_min", "range_max"))
        assert high - low == pytest.approx((link.range_rad[1] - link.range_rad[0]) * 4096 / 6.2832, abs=8)
        assert (low + high) // 2 in (2047, 2048)
    code, out, _ = etude(*WORDS, f"--teleop.calibration_dir={tmp_path}", "--list")
    assert code == 0
    assert out.strip().endswith("in use")


def test_input_that_ends_leaves_the_arm_as_it_was(etude, leader, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Enter(leader[0], []))
    code, _, err = etude(*WORDS, f"--teleop.calibration_dir={tmp_path}")
    assert code == 2
    assert "The input ended" in err
    assert not list(tmp_path.iterdir())
    assert all(servo.memory.get("Homing_Offset") == 0 for servo in leader[1].servos)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_ended_from_outside_the_motors_get_back_what_they_held(etude, monkeypatch, tmp_path):
    world = begin_world()
    servos = world.arm.servos
    names = ("Torque_Limit", "Goal_Velocity", "Homing_Offset", "Min_Position_Limit", "Max_Position_Limit")
    held = [[servo.memory.get(name) for name in names] for servo in servos]
    looks = []

    def end_it(door, step):
        world.clock.sleep_until(world.clock.now() + 0.02)
        looks.append(isinstance(step, Moving))
        if looks.count(True) == 40:
            assert any(
                servo.memory.get("Torque_Limit") != before[0] for servo, before in zip(servos, held, strict=True)
            )
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(calibration_steps._Door, "_wait", end_it)
    monkeypatch.setattr(sys, "stdin", Enter(world, [0]))
    words = ("--robot.type=so101_follower", "--robot.port=sim", f"--robot.calibration_dir={tmp_path}", "--auto")
    code, _, err = etude("calibrate", *words)
    assert code == 130
    assert "Support it, then switch its power off" in err
    assert [[servo.memory.get(name) for name in names] for servo in servos] == held
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Which arm?"),
        (["--robot.type=so101_follower", "--teleop.type=so101_leader"], "not both"),
        (["--robot.type=fake"], "'fake' needs no calibration"),
        (["--robot.type=bimanual"], "one after the other"),
        (["--compare", "--robot.type=so101_follower"], "--compare needs both arms"),
        (["--undo", "--robot.type=so101_follower", "--robot.id=nobody"], "No older calibration named 'nobody'"),
        (["--auto", "--teleop.type=so101_leader"], "Only SO-100 and SO-101 followers"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(etude, words, sentence):
    code, _, err = etude("calibrate", *words)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err
