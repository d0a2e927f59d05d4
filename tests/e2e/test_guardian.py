"""A driver is killed with an arm in the air: the servos hold, and its guardian lowers the arm and lets it go."""

import os
import signal
import subprocess
import sys
import time
from unittest import mock

import numpy as np
import pytest

from etude.hardware import guardian
from etude.hardware.guardian import LEAVE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")

DRIVER = """
import sys, time
from etude.hardware import robots
robot = robots.build(robots.config(sys.argv[2])(port=sys.argv[1]))
robot.connect()
pose = robot.observe()["observation.state"]
print("driving", flush=True)
while sys.stdin.readline() != "leave\\n":
    robot.apply(pose)
robot.disconnect()
"""
REST_DEG = {"so101": {1: -98.0, 2: 95.0, 3: 57.0}, "koch": {1: -60.9, 2: 56.2, 3: 80.2}}
"""Shoulder, elbow and wrist: shares of their ranges, in degrees."""
every_make = pytest.mark.parametrize("live", list(REST_DEG), indirect=True)


@pytest.fixture
def driver(live, tmp_path):
    environment = os.environ | {"HF_LEROBOT_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path / "port"), f"{live.arm.seat.body.name}_follower"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout.readline() == "driving\n"
    yield process
    process.kill()
    process.communicate()


def wait_until(is_so, seconds):
    deadline = time.perf_counter() + seconds
    while not is_so() and time.perf_counter() < deadline:
        time.sleep(0.02)
    assert is_so()


def assert_at_rest(arm):
    after = np.degrees(arm.joints)
    for joint, degrees in REST_DEG[arm.seat.body.name].items():
        assert after[joint] == pytest.approx(degrees, abs=6)


def guardians_of(pid):
    found = subprocess.run(["ps", "-o", "args=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [line for line in found.stdout.splitlines() if "etude.hardware.guardian" in line]


@every_make
def test_a_killed_driver_leaves_an_arm_that_holds_and_is_then_lowered_and_released(live, driver):
    before = np.degrees(live.arm.joints)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert live.torque() == [1] * 6, "servos have no watchdog"
    np.testing.assert_allclose(np.degrees(live.arm.joints), before, atol=4)
    wait_until(lambda: live.torque() == [0] * 6, seconds=20)
    assert_at_rest(live.arm)


def test_a_driver_that_is_killed_while_it_lowers_the_arm_leaves_it_limp_too(live, driver):
    before = live.arm.joints[1]
    driver.stdin.write(LEAVE)
    driver.stdin.flush()
    wait_until(lambda: abs(live.arm.joints[1] - before) > 0.05, seconds=20)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert live.torque() == [1] * 6
    wait_until(lambda: live.torque() == [0] * 6, seconds=20)


def test_a_goodbye_counts_whose_owner_is_gone_before_it_is_read():
    class Orders:
        def readline(self):
            time.sleep(0.05)
            return LEAVE

    assert not guardian._is_orphaned(Orders(), owner=-1)


def test_an_arm_that_was_limp_already_is_not_woken_up(monkeypatch):
    bus = mock.Mock(motors={"shoulder_lift": None, "elbow_flex": None})
    bus.sync_read.return_value = {"shoulder_lift": 1, "elbow_flex": 0}
    monkeypatch.setattr(guardian, "_reached", lambda charge: bus)
    assert guardian.rescue({"rest": {"shoulder_lift": 1000, "elbow_flex": 3000}})
    bus.sync_write.assert_not_called()
    assert {call.args for call in bus.write.call_args_list} == {
        ("Torque_Enable", "shoulder_lift", 0),
        ("Torque_Enable", "elbow_flex", 0),
    }


@every_make
def test_a_driver_that_leaves_in_good_order_lowers_the_arm_itself_and_takes_its_guardian_along(live, driver):
    assert len(guardians_of(driver.pid)) == 1
    driver.stdin.write(LEAVE)
    driver.stdin.flush()
    assert driver.wait(20) == 0
    assert live.torque() == [0] * 6
    assert_at_rest(live.arm)
