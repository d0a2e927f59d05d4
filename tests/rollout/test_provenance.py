from dataclasses import replace
from types import SimpleNamespace

import pytest

from etude.core.errors import UserError
from etude.hardware.calibration import MotorCalibration, load_calibration
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER
from etude.rollout.provenance import FOLDER, calibrations_of, check_units, keep_calibrations

MOTOR = MotorCalibration(id=1, drive_mode=0, homing_offset=10, range_min=800, range_max=3200)


@pytest.fixture
def robot():
    return SimpleNamespace(arm=SimpleNamespace(kind=SO101_FOLLOWER, calibration={"pan": MOTOR}))


def files(root):
    return sorted(path.name for path in (root / FOLDER).iterdir())


def test_every_arm_has_its_calibration(robot):
    both = SimpleNamespace(left=robot, right=robot)
    assert dict(calibrations_of(both)) == {"left_so_follower": {"pan": MOTOR}, "right_so_follower": {"pan": MOTOR}}
    assert list(calibrations_of(object())) == []
    assert list(calibrations_of(None)) == []


def test_a_calibration_is_kept_once_and_a_new_one_from_its_first_episode_on(robot, tmp_path):
    keep_calibrations(tmp_path, robot, 0)
    keep_calibrations(tmp_path, robot, 3)
    assert files(tmp_path) == ["so_follower.json"]
    robot.arm.calibration = {"pan": replace(MOTOR, homing_offset=20)}
    keep_calibrations(tmp_path, robot, 5)
    keep_calibrations(tmp_path, robot, 7)
    assert files(tmp_path) == ["so_follower-from-000005.json", "so_follower.json"]
    assert load_calibration(tmp_path / FOLDER / "so_follower.json") == {"pan": MOTOR}
    assert load_calibration(tmp_path / FOLDER / "so_follower-from-000005.json")["pan"].homing_offset == 20


def test_a_robot_that_takes_other_units_is_refused():
    speaks = SimpleNamespace(uses_degrees=False)
    with pytest.raises(UserError, match=r"tells joints in degrees.*--robot.use_degrees=true"):
        check_units(speaks, True, "The policy x")
    with pytest.raises(UserError, match=r"in -100 to 100, and the robot takes them in degrees"):
        check_units(SimpleNamespace(uses_degrees=True), False, "The policy x")
    for told in (None, False):
        check_units(speaks, told, "The policy x")
    check_units(object(), True, "The policy x")
