from dataclasses import replace
from types import SimpleNamespace

import pytest

from etude.hardware.calibration import MotorCalibration, load_calibration
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER
from etude.rollout.provenance import FOLDER, calibrations_of, keep_calibrations

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
