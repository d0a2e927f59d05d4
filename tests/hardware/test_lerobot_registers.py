"""Registers have LeRobot's names, places and signs; the file holds the tables of lerobot 0.4.4."""

import json
from pathlib import Path

import pytest

from etude.hardware.buses.dynamixel.registers import MODELS as DYNAMIXEL
from etude.hardware.buses.feetech.registers import MODELS as FEETECH

OURS = {"feetech": FEETECH, "dynamixel": DYNAMIXEL}
THEIRS = json.loads(Path(__file__).with_name("lerobot_registers.json").read_text(encoding="utf-8"))
TWICE = {"Moving_Velocity_Threshold": "Moving_Velocity"}
"""Places for which LeRobot has two names."""


@pytest.mark.parametrize(("family", "name"), [(family, name) for family in THEIRS for name in THEIRS[family]])
def test_a_model_is_what_lerobot_says(family, name):
    ours, theirs = OURS[family][name], THEIRS[family][name]
    assert (ours.number, ours.resolution) == (theirs["number"], theirs["resolution"])
    for register, place in theirs["registers"].items():
        item = ours.table[TWICE.get(register, register)]
        assert [item.address, item.size] == place, register
    for register, sign in theirs["signs"].items():
        item = ours.table[register]
        assert (item.sign_bit if family == "feetech" else item.is_signed * item.size) == sign, register
