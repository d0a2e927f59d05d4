from datetime import UTC, datetime, timedelta

import pytest

from etude.core.errors import DeviceError, NotFound
from etude.hardware.arm_calibration import read
from etude.hardware.calibrating import by_hand, keep, restore, versions
from etude.hardware.calibration import load_calibration
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def arm(so101, hand):
    """A bench and a calibration that it does not hold yet."""
    bus = so101(shoulder_pan=123)
    return bus, hand(bus).run(by_hand(SO101_FOLLOWER, bus)).calibration


def other(calibration):
    from dataclasses import replace

    return calibration | {"gripper": replace(calibration["gripper"], range_min=1000)}


def test_the_motors_and_the_file_hold_the_same_and_the_file_is_lerobots(arm, tmp_path):
    bus, calibration = arm
    keep(SO101_FOLLOWER, bus, tmp_path / "left.json", calibration, now=NOON)
    assert load_calibration(tmp_path / "left.json") == calibration == read(SO101_FOLLOWER, bus)
    assert [version.stamp for version in versions(tmp_path / "left.json")] == ["2026-11-21T12-00-00"]


def test_when_a_motor_refuses_neither_has_changed(arm, tmp_path):
    bus, calibration = arm
    before = read(SO101_FOLLOWER, bus)
    bus.refuses.add(("Max_Position_Limit", "gripper"))
    with pytest.raises(DeviceError, match=r"could not be stored\. gripper refuses"):
        keep(SO101_FOLLOWER, bus, tmp_path / "left.json", calibration, now=NOON)
    bus.refuses.clear()
    assert not (tmp_path / "left.json").exists()
    assert {name: one for name, one in read(SO101_FOLLOWER, bus).items() if name != "gripper"} == {
        name: one for name, one in before.items() if name != "gripper"
    }


def test_when_the_file_cannot_be_written_the_motors_hold_what_they_held(arm, tmp_path):
    bus, calibration = arm
    before = read(SO101_FOLLOWER, bus)
    (tmp_path / "folder").write_text("a file is in the way")
    with pytest.raises(DeviceError, match="The motors hold what they held before"):
        keep(SO101_FOLLOWER, bus, tmp_path / "folder" / "left.json", calibration, now=NOON)
    assert read(SO101_FOLLOWER, bus) == before


def test_when_it_is_interrupted_the_motors_hold_what_they_held(arm, tmp_path, monkeypatch):
    bus, calibration = arm
    before, write, written = read(SO101_FOLLOWER, bus), bus.write, []

    def interrupted(name, motor, value, **options):
        written.append(name)
        if len(written) == 10:
            raise KeyboardInterrupt
        write(name, motor, value, **options)

    monkeypatch.setattr(bus, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        keep(SO101_FOLLOWER, bus, tmp_path / "left.json", calibration, now=NOON)
    assert read(SO101_FOLLOWER, bus) == before
    assert not (tmp_path / "left.json").exists()


def test_undo_goes_back_and_again_forth_and_nothing_is_lost(arm, tmp_path):
    bus, first = arm
    second, path = other(first), tmp_path / "left.json"
    keep(SO101_FOLLOWER, bus, path, first, now=NOON)
    keep(SO101_FOLLOWER, bus, path, second, now=NOON + timedelta(hours=1))
    assert restore(SO101_FOLLOWER, bus, path, now=NOON + timedelta(hours=2)) == "2026-11-21T12-00-00"
    assert load_calibration(path) == first == read(SO101_FOLLOWER, bus)
    restore(SO101_FOLLOWER, bus, path, "2026-11-21T13-00-00", now=NOON + timedelta(hours=3))
    assert load_calibration(path) == second == read(SO101_FOLLOWER, bus)


def test_a_file_that_lerobot_wrote_is_kept_as_a_version(arm, tmp_path):
    from etude.hardware.calibration import save_calibration

    bus, calibration = arm
    save_calibration(tmp_path / "left.json", other(calibration))
    keep(SO101_FOLLOWER, bus, tmp_path / "left.json", calibration, now=NOON + timedelta(days=1000))
    assert len(versions(tmp_path / "left.json")) == 2


def test_without_an_older_one_there_is_nothing_to_go_back_to(arm, tmp_path):
    bus, calibration = arm
    keep(SO101_FOLLOWER, bus, tmp_path / "left.json", calibration, now=NOON)
    with pytest.raises(NotFound, match="No older calibration named 'left'"):
        restore(SO101_FOLLOWER, bus, tmp_path / "left.json")
