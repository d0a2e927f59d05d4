from types import SimpleNamespace

import numpy as np
import pytest

from etude.cli import find_port
from etude.core.errors import DeviceError, UserError
from etude.hardware import names
from etude.hardware.discover import SerialPort, udev_rules
from etude.sim.world import begin_world


@pytest.fixture(autouse=True)
def _own_names(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def world():
    return begin_world()


def test_a_port_is_told_with_the_arm_on_it(etude, world):
    code, out, _ = etude("find-port", "--ports=sim")
    assert code == 0
    assert out.startswith("sim  so101_")
    assert "6 motors, 7.4 V, 25 °C" in out


def test_an_arm_that_was_set_up_as_a_follower_is_taken_for_one(etude, world):
    for servo in world.arm.servos:
        servo.memory.set("P_Coefficient", 16)
    assert etude("find-port", "--ports=sim")[1].startswith("sim  so101_follower (a guess by voltage and gain; or ")


def test_a_port_that_is_not_there_is_told_and_the_others_are_still_shown(etude, world):
    code, out, _ = etude("find-port", "--ports=/dev/nothing,sim")
    assert code == 0
    assert "/dev/nothing  No serial port named '/dev/nothing'" in out
    assert "\nsim  so101_" in out


def test_the_arm_that_is_moved_is_the_one_and_can_be_named(etude, world, monkeypatch):
    world.arms.follower("so101", "left")
    world.arms.follower("so101", "right")
    right = list(world.arms)[1]

    def push(_):
        right.push(np.array([0.5 * np.sin(3 * world.clock.now()), 0, 0, 0, 0, 0]))
        world.clock.sleep_until(world.clock.now() + 0.03)

    monkeypatch.setattr(find_port.time, "sleep", push)
    code, out, err = etude("find-port", "--wiggle", "--ports=sim:left,sim:right")
    assert code == 0, err
    assert out.strip() == "sim:right"


def test_a_name_for_one_of_several_ports_needs_a_wiggle(etude, world):
    code, _, err = etude("find-port", "--ports=sim,/dev/nothing", "--name=left")
    assert code == 2
    assert "Add --wiggle and move that arm" in err


def test_pulling_the_cable_tells_the_port(etude, monkeypatch):
    from etude.hardware import discover

    both = [SerialPort(device="/dev/ttyACM0"), SerialPort(device="/dev/ttyACM1")]
    looks, enter = iter([both, both[:1]]), iter(["\n", "\n"])
    monkeypatch.setattr(discover, "serial_ports", lambda: next(looks))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(readline=lambda: next(enter, "")))
    code, out, _ = etude("find-port", "--unplug")
    assert (code, out.strip()) == (0, "/dev/ttyACM1")


def test_the_udev_rule_opens_the_adapter_to_everybody_under_a_lasting_name():
    rules = udev_rules([SerialPort(device="/dev/ttyACM0", usb="1a86:55d3", serial="5A46")])
    assert (
        'SUBSYSTEM=="tty", ATTRS{idVendor}=="1a86", ATTRS{idProduct}=="55d3", ATTRS{serial}=="5A46", '
        'MODE="0666", SYMLINK+="etude-5A46"\n'
    ) in rules


def test_a_serial_number_that_is_none_does_not_get_into_the_rule():
    rules = udev_rules([SerialPort(device="/dev/ttyACM0", usb="1a86:55d3", serial='5A", RUN+="/bin/evil')])
    assert "RUN" not in rules
    assert 'ATTRS{idProduct}=="55d3", MODE="0666"\n' in rules


def test_installing_a_rule_without_the_right_to_says_what_to_type(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    with pytest.raises(UserError, match="sudo etude find-port --udev --install"):
        find_port.install_rules("", tmp_path / "99-etude.rules")


def test_a_rule_that_could_not_be_written_whole_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "99-etude.rules"
    file.write_text("old")

    def fill_up(path, text, **_):
        with path.open("w") as half:
            half.write(text[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", fill_up)
    with pytest.raises(DeviceError, match="No space left"):
        find_port.install_rules("a long rule", file)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_computer_without_udev_is_told_so(tmp_path):
    with pytest.raises(DeviceError, match="Has this computer udev"):
        find_port.install_rules("", tmp_path / "none" / "99-etude.rules")


def test_install_alone_is_not_understood(etude):
    code, _, err = etude("find-port", "--install")
    assert code == 2
    assert "--install goes with --udev" in err
    assert names.known_devices().arms == {}
