import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import ConfigError
from etude.hardware.calibration import (
    MotorCalibration,
    Norm,
    Scale,
    calibration_path,
    load_calibration,
    save_calibration,
)


def motor(low, high, drive_mode=0):
    return MotorCalibration(id=1, drive_mode=drive_mode, homing_offset=0, range_min=low, range_max=high)


def lerobot_to_units(ticks, low, high, norm, turned):
    """LeRobot's formulas, for one joint."""
    if norm is Norm.DEGREES:
        return (ticks - (low + high) / 2) * 360 / 4095
    share = (min(high, max(low, ticks)) - low) / (high - low)
    if norm is Norm.RANGE_M100_100:
        return -(share * 200 - 100) if turned else share * 200 - 100
    return 100 - share * 100 if turned else share * 100


def lerobot_to_ticks(units, low, high, norm, turned):
    """LeRobot's formulas, for one joint."""
    if norm is Norm.DEGREES:
        return int(units * 4095 / 360 + (low + high) / 2)
    if norm is Norm.RANGE_M100_100:
        units = min(100.0, max(-100.0, -units if turned else units))
        return int((units + 100) / 200 * (high - low) + low)
    units = min(100.0, max(0.0, 100 - units if turned else units))
    return int(units / 100 * (high - low) + low)


joints = st.tuples(st.integers(0, 4000), st.integers(1, 4095), st.sampled_from(Norm), st.booleans()).map(
    lambda made: (made[0], min(made[0] + made[1], 4095), made[2], made[3])
)
arms = st.lists(joints, min_size=1, max_size=7)


def scale_of(arm):
    motors = {f"motor_{i}": motor(low, high, int(turned)) for i, (low, high, _, turned) in enumerate(arm)}
    return Scale(motors, [norm for _, _, norm, _ in arm])


@given(arms, st.data())
def test_ticks_to_units_as_lerobot(arm, data):
    ticks = np.array([data.draw(st.integers(0, 4095)) for _ in arm])
    expected = [lerobot_to_units(tick, *joint) for tick, joint in zip(ticks, arm, strict=True)]
    np.testing.assert_allclose(scale_of(arm).to_units(ticks), expected, rtol=0, atol=1e-9)


@given(arms, st.data())
def test_units_to_ticks_as_lerobot(arm, data):
    units = np.array([data.draw(st.floats(-250, 250, width=32)) for _ in arm], np.float32)
    expected = [lerobot_to_ticks(float(unit), *joint) for unit, joint in zip(units, arm, strict=True)]
    assert scale_of(arm).to_ticks(units).tolist() == expected


@given(arms, st.data())
def test_there_and_back_is_at_most_one_tick_away(arm, data):
    ticks = np.array([data.draw(st.integers(low, high)) for low, high, _, _ in arm])
    scale = scale_of(arm)
    assert np.abs(scale.to_ticks(scale.to_units(ticks)) - ticks).max() <= 1


@given(arms)
def test_limits_are_the_ends_of_the_range(arm):
    low, high = scale_of(arm).limits()
    assert (low < high).all()
    for (least, most, norm, _), a, b in zip(arm, low, high, strict=True):
        half = (most - least) / 2 * 360 / 4095
        expected = {Norm.DEGREES: (-half, half), Norm.RANGE_M100_100: (-100, 100), Norm.RANGE_0_100: (0, 100)}[norm]
        assert (a, b) == pytest.approx(expected, rel=1e-6)


def test_numbers_worked_by_hand():
    scale = Scale(
        {
            "pan": motor(1000, 3000),
            "roll": motor(1000, 3000),
            "turned": motor(1000, 3000, 1),
            "gripper": motor(2000, 2500),
        },
        [Norm.DEGREES, Norm.RANGE_M100_100, Norm.RANGE_M100_100, Norm.RANGE_0_100],
    )
    units = scale.to_units(np.array([3000, 2500, 2500, 2125]))
    np.testing.assert_allclose(units, [1000 * 360 / 4095, 50, -50, 25])
    assert scale.to_ticks(np.array([-10.0, 250.0, -50.0, 50.0])).tolist() == [1886, 3000, 2500, 2250]


def test_many_frames_at_once():
    scale = Scale({"pan": motor(0, 4095), "gripper": motor(0, 4095)}, [Norm.DEGREES, Norm.RANGE_0_100])
    ticks = np.arange(20).reshape(2, 5, 2)
    assert scale.to_units(ticks).shape == (2, 5, 2)
    np.testing.assert_array_equal(scale.to_units(ticks)[1, 3], scale.to_units(ticks[1, 3]))


def test_a_joint_without_a_range_is_refused():
    with pytest.raises(ConfigError, match="'pan' has range_min 5 and range_max 5"):
        Scale({"pan": motor(5, 5)}, [Norm.DEGREES])


class TestFiles:
    def test_layout_is_lerobots(self, tmp_path):
        path = tmp_path / "arm.json"
        stored = MotorCalibration(id=6, drive_mode=0, homing_offset=-1024, range_min=2000, range_max=3400)
        save_calibration(path, {"gripper": stored})
        assert json.loads(path.read_text()) == {
            "gripper": {"id": 6, "drive_mode": 0, "homing_offset": -1024, "range_min": 2000, "range_max": 3400}
        }
        assert path.read_text().startswith('{\n    "gripper": {\n        "id": 6,')
        assert load_calibration(path) == {"gripper": stored}

    @pytest.mark.parametrize("text", ["", "[]", '{"pan": {"id": 1}}', '{"pan": {"id": "one"}}', "\xff"])
    def test_what_is_no_calibration_is_refused_by_name(self, tmp_path, text):
        path = tmp_path / "arm.json"
        path.write_text(text, encoding="latin-1")
        with pytest.raises(ConfigError, match=r"arm\.json"):
            load_calibration(path)


class TestPaths:
    def test_by_default_where_lerobot_looks(self, monkeypatch):
        for name in ("HF_LEROBOT_CALIBRATION", "HF_LEROBOT_HOME", "HF_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        home = Path.home() / ".cache/huggingface/lerobot/calibration"
        assert calibration_path("robots", "so_follower", "red") == home / "robots/so_follower/red.json"
        assert calibration_path("teleoperators", "so_leader", None) == home / "teleoperators/so_leader/None.json"

    @pytest.mark.parametrize(
        ("variables", "start"),
        [
            ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/lerobot/calibration"),
            ({"XDG_CACHE_HOME": "/x", "HF_HOME": "/h"}, "/h/lerobot/calibration"),
            ({"HF_HOME": "/h", "HF_LEROBOT_HOME": "/l"}, "/l/calibration"),
            ({"HF_LEROBOT_HOME": "/l", "HF_LEROBOT_CALIBRATION": "/c"}, "/c"),
        ],
    )
    def test_environment(self, monkeypatch, variables, start):
        for name in ("HF_LEROBOT_CALIBRATION", "HF_LEROBOT_HOME", "HF_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert calibration_path("robots", "so_follower", "red") == Path(start) / "robots/so_follower/red.json"

    def test_a_chosen_folder_holds_the_file_itself(self):
        assert calibration_path("robots", "so_follower", "red", Path("/mine")) == Path("/mine/red.json")
