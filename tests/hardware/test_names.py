from types import SimpleNamespace

import pytest

from etude.core.errors import ConfigError, DeviceError
from etude.hardware import names
from etude.hardware.names import KnownArm, remember_arm, remember_camera, remembered_camera, resolve_port


@pytest.fixture(autouse=True)
def _own_names(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def plugged_in(monkeypatch):
    """Say which USB adapters are there: device to serial number and socket."""

    def plug(**adapters):
        ports = [
            SimpleNamespace(device=f"/dev/{device}", serial_number=serial, location=location)
            for device, (serial, location) in adapters.items()
        ]
        monkeypatch.setattr(names, "_serial_ports", lambda: ports)

    return plug


def test_an_arm_is_found_by_its_serial_number_wherever_it_is_plugged_in(plugged_in):
    plugged_in(ttyACM0=("AAA", "1-1"), ttyACM1=("BBB", "1-2"))
    remember_arm("left", names.known_arm_at("/dev/ttyACM1"))
    assert resolve_port("left") == "/dev/ttyACM1"
    plugged_in(ttyACM0=("BBB", "3-1"), ttyACM1=("AAA", "1-1"))
    assert resolve_port("left") == "/dev/ttyACM0"


def test_an_adapter_without_a_serial_number_is_found_by_its_socket(plugged_in):
    plugged_in(ttyUSB0=(None, "1-1"), ttyUSB1=(None, "1-2"))
    remember_arm("left", names.known_arm_at("/dev/ttyUSB1"))
    plugged_in(ttyUSB5=(None, "1-2"), ttyUSB0=(None, "1-1"))
    assert resolve_port("left") == "/dev/ttyUSB5"


def test_an_arm_that_is_not_there_is_told_with_the_ports_that_are(plugged_in):
    plugged_in(ttyACM0=("AAA", "1-1"))
    remember_arm("left", KnownArm(port="/dev/ttyACM7", serial="BBB"))
    with pytest.raises(DeviceError, match=r"'left' is not plugged in.*BBB.*/dev/ttyACM0"):
        resolve_port("left")


@pytest.mark.parametrize("port", ["/dev/ttyACM0", "COM3", "sim", "sim:left", "nobody"])
def test_what_is_no_name_stays_as_it_is(plugged_in, port):
    plugged_in()
    assert resolve_port(port) == port


def test_a_port_that_is_no_usb_adapter_is_remembered_by_its_path(plugged_in, tmp_path):
    plugged_in()
    (tmp_path / "arm").touch()
    remember_arm("toy", names.known_arm_at(str(tmp_path / "arm")))
    assert resolve_port("toy") == str(tmp_path / "arm")
    assert names.names_of(str(tmp_path / "arm")) == ["toy"]


def test_an_arm_that_is_named_again_by_its_name_is_still_found(plugged_in, tmp_path):
    plugged_in()
    (tmp_path / "arm").touch()
    remember_arm("toy", names.known_arm_at(str(tmp_path / "arm")))
    remember_arm("toy", names.known_arm_at("toy"))
    assert resolve_port("toy") == str(tmp_path / "arm")


def test_cameras_have_names_too():
    remember_camera("wrist", "/dev/v4l/by-id/usb-cam")
    remember_arm("left", KnownArm(port="x"))
    assert remembered_camera("wrist") == "/dev/v4l/by-id/usb-cam"
    assert remembered_camera("front") is None


@pytest.mark.parametrize("name", ["", "a/b", "sim", "a b"])
def test_names_that_would_be_taken_for_ports_are_refused(name):
    with pytest.raises(ConfigError, match="cannot be a device's name"):
        remember_arm(name, KnownArm(port="x"))


def test_a_damaged_file_is_told_with_its_path(tmp_path):
    names.devices_path().parent.mkdir(parents=True)
    names.devices_path().write_text("{")
    with pytest.raises(ConfigError, match=r"devices\.json"):
        remembered_camera("wrist")
