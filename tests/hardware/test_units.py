"""Ticks to units and back, for every motor that any bus knows and every way to tell a joint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.hardware.buses.dynamixel.registers import MODELS as DYNAMIXELS
from etude.hardware.buses.feetech.registers import MODELS as FEETECHS
from etude.hardware.calibration import MotorCalibration, Norm, Scale

RESOLUTIONS = {name: model.resolution for name, model in (FEETECHS | DYNAMIXELS).items()}


@pytest.mark.parametrize("norm", Norm)
@pytest.mark.parametrize("model", RESOLUTIONS)
class TestEveryModel:
    @settings(max_examples=20)
    @given(st.data())
    def test_ticks_come_back_as_they_were(self, model, norm, data):
        turn = RESOLUTIONS[model]
        scale, low, high = drawn(data, norm, turn)
        tick = data.draw(st.integers(low, high))
        # LeRobot truncates on the way back, so that a tick may become the one below it.
        assert abs(scale.to_ticks(scale.to_units(np.array([tick])))[0] - tick) <= 1

    @settings(max_examples=20)
    @given(st.data())
    def test_units_come_back_within_a_tick(self, model, norm, data):
        turn = RESOLUTIONS[model]
        scale, low, high = drawn(data, norm, turn)
        least, greatest = scale.limits()
        units = data.draw(st.floats(float(least[0]), float(greatest[0])))
        tick = (
            360 / (turn - 1) if norm is Norm.DEGREES else (200 if norm is Norm.RANGE_M100_100 else 100) / (high - low)
        )
        assert scale.to_units(scale.to_ticks(np.array([units])))[0] == pytest.approx(units, abs=tick * 1.001 + 1e-4)


def drawn(data, norm, turn):
    """A scale of one joint, with its range."""
    low = data.draw(st.integers(0, turn - 2))
    high = data.draw(st.integers(low + 1, turn - 1))
    turned = data.draw(st.sampled_from([0, 1])) if norm is not Norm.DEGREES else 0
    motor = MotorCalibration(id=1, drive_mode=turned, homing_offset=0, range_min=low, range_max=high)
    return Scale({"joint": motor}, [norm], turn), low, high


def test_half_a_turn_of_a_servo_with_1024_ticks():
    motor = MotorCalibration(id=1, drive_mode=0, homing_offset=0, range_min=0, range_max=1023)
    scale = Scale({"joint": motor}, [Norm.DEGREES], 1024)
    assert scale.to_units(np.array([1023]))[0] == pytest.approx(180)
    assert scale.to_ticks(np.array([-180]))[0] == 0
