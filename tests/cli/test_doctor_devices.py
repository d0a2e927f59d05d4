import os

import pytest

from etude.cli import doctor_devices
from etude.cli.doctor_devices import camera_finding, device_findings, feels, refused
from etude.hardware.arm_calibration import read
from etude.hardware.calibrating import keep
from etude.hardware.health import Vitals
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER
from etude.sim.world import begin_world


def told(ports):
    return [finding.what for finding in device_findings(ports)]


def test_an_arm_without_a_file_is_told_how_to_be_calibrated():
    world = begin_world()
    findings = told(["sim"])
    assert "6 motors, 7.4 V" in findings[0]
    assert "no calibration file matches what its motors hold. Run: etude calibrate --" in findings[1]
    assert "its type is a guess by voltage and gain; it may be " in findings[1]
    assert world.arm


def test_a_calibration_that_matches_is_named(monkeypatch, tmp_path):
    from etude.hardware import buses

    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path))
    world = begin_world()
    bus = buses.build(buses.config("feetech")(port="sim"), SO101_FOLLOWER.motors)
    bus.open()
    file = tmp_path / "robots" / "so_follower" / "left.json"
    keep(SO101_FOLLOWER, bus, file, read(SO101_FOLLOWER, bus))
    bus.close()
    assert f"sim: calibrated as {file}" in told(["sim"])
    assert world.arm


def test_a_port_that_one_may_not_use_comes_with_the_command_that_changes_it(monkeypatch, tmp_path):
    port = tmp_path / "ttyACM0"
    port.touch()
    assert refused(str(port)) == ""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "sudo usermod -aG" in refused(str(port))
    assert doctor_devices.refused("/dev/nothing") == ""


@pytest.mark.parametrize(
    ("vitals", "sentence"),
    [
        (Vitals(voltage_v=4.5, temperature_c=25, load=0), "4.5 V is too little"),
        (Vitals(voltage_v=7.4, temperature_c=61, load=0), "a motor has 61 °C"),
        (Vitals(voltage_v=7.4, temperature_c=25, load=0, faults=("overload",)), "reports overload"),
    ],
)
def test_motors_that_suffer_are_told(vitals, sentence):
    (finding,) = feels("/dev/ttyACM0", vitals)
    assert not finding.is_well
    assert sentence in finding.what


def test_cameras_that_starve_each_other_are_told_to_move():
    assert camera_finding("front", 29.5, 2).is_well
    crowded = camera_finding("front", 11.0, 2)
    assert not crowded.is_well
    assert "only 11 of 30 pictures per second while 2 are open" in crowded.what
