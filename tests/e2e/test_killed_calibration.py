"""`etude calibrate --auto` is killed in the middle: the next who connects finds the motors as they were."""

import os
import signal
import subprocess
import sys
import time

import pytest

from etude.hardware import robots
from etude.hardware.device import connected

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")

NAMES = ("Homing_Offset", "Min_Position_Limit", "Max_Position_Limit", "Goal_Velocity", "Torque_Limit")


def test_a_killed_calibration_is_undone_by_the_next_who_connects(live, tmp_path, monkeypatch):
    def registers():
        return [[servo.memory.get(name) for name in NAMES] for servo in live.arm.servos]

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    before = registers()
    words = ("--robot.type=so101_follower", f"--robot.port={tmp_path / 'port'}", f"--robot.calibration_dir={tmp_path}")
    process = subprocess.Popen(
        [sys.executable, "-m", "etude", "calibrate", *words, "--auto"], stdin=subprocess.PIPE, env=os.environ
    )
    process.stdin.write(b"\n")
    process.stdin.flush()
    deadline = time.perf_counter() + 60
    while live.torque() != [1] * 6 and time.perf_counter() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert live.torque() == [1] * 6
    assert all(limit < 1000 for *_, limit in registers()), "it was weak"
    robot = robots.build(
        robots.config("so101_follower")(port=str(tmp_path / "port"), calibration_dir=tmp_path, rest_pose={})
    )
    with connected(robot):
        assert registers() == before
