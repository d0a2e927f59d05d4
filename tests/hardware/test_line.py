import os
import sys
import threading
import tty
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports

from etude.core.errors import ConfigError, DeviceError, MissingExtra, NotFound
from etude.hardware import lines
from etude.hardware.bus import Motor
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.buses.feetech.config import Config as FeetechConfig
from etude.hardware.line import line_at
from etude.hardware.names import KnownArm, remember_arm
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215

MOTORS = {"one": Motor(id=1, model="sts3215"), "two": Motor(id=2, model="sts3215")}
needs_ptys = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pty takes no megabaud")


@pytest.fixture
def pty():
    """A port whose other end two servos hold."""
    host, port = os.openpty()
    tty.setraw(port)
    chain = ServoChain([Sts3215(1), Sts3215(2)])

    def serve():
        while True:
            try:
                data = os.read(host, 256)
            except OSError:
                return  # the test is over
            os.write(host, chain.exchange(data))

    threading.Thread(target=serve, daemon=True).start()
    yield os.ttyname(port)
    os.close(port)
    os.close(host)


@needs_ptys
def test_servos_answer_over_a_real_port(pty):
    line = line_at(pty).open()
    bus = FeetechBus(line, MOTORS)
    bus.write("P_Coefficient", "two", 16)
    assert bus.sync_read("P_Coefficient") == {"one": 32, "two": 16}
    assert line.name == pty
    assert line.scene is None
    line.close()
    line.close()


@needs_ptys
def test_silence_lasts_as_long_as_said(pty):
    line = line_at(pty).open()
    assert line.read(5, 0.01) == b""
    line.close()


@needs_ptys
def test_what_was_received_can_be_forgotten(pty):
    line = line_at(pty).open()
    line.write(bytes.fromhex("FF FF 01 02 01 FB"))
    assert len(line.read(1, 1.0)) == 1
    line.discard()
    assert line.read(5, 0.01) == b""
    line.close()


@needs_ptys
def test_a_port_belongs_to_one_program(pty):
    line = line_at(pty).open()
    with pytest.raises(DeviceError, match=r"is in use: another program has it, or it was given for two arms\."):
        line_at(pty).open()
    line.close()
    line_at(pty).open().close()


def test_a_port_that_is_not_there_is_the_users_mistake():
    with pytest.raises(NotFound, match="No serial port named '/dev/ttyNONE'") as caught:
        line_at("/dev/ttyNONE").open()
    assert caught.value.exit_code == 2
    assert "etude find-port" in str(caught.value)


def test_a_name_that_is_nearly_right_is_offered_and_a_port_without_a_usb_adapter_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    built_in = SimpleNamespace(device="/dev/ttyS0", serial_number=None, location=None, vid=None)
    monkeypatch.setattr(list_ports, "comports", lambda: [built_in])
    remember_arm("follower", KnownArm(port="/dev/ttyACM3"))
    with pytest.raises(NotFound, match=r"Did you mean 'follower'\? Known: follower\. Is the arm plugged in"):
        line_at("folower").open()


def test_a_file_that_is_no_port_is_refused(tmp_path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(DeviceError, match=r"The serial port .*file cannot be opened"):
        line_at(str(path)).open()


def test_a_closed_line_says_so():
    with pytest.raises(DeviceError, match="The serial port COM7 is not open"):
        line_at("COM7").read(1, 0.1)


@pytest.mark.parametrize(
    "error", [serial.SerialException("gone"), serial.SerialTimeoutException("slow"), OSError("io")]
)
def test_what_the_port_raises_becomes_a_device_error(error, monkeypatch):
    class Broken:
        timeout = None

        def __init__(self, *args, **kwargs):
            pass

        def fail(self, *args):
            raise error

        read = write = reset_input_buffer = fail

    monkeypatch.setattr(serial, "Serial", Broken)
    line = line_at("COM7").open()
    for use in (lambda: line.read(1, 0.1), lambda: line.write(b"x"), line.discard):
        with pytest.raises(DeviceError, match="The serial port COM7 failed") as caught:
            use()
        assert caught.value.__cause__ is error


def test_without_pyserial_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    monkeypatch.delitem(sys.modules, "etude.hardware.lines.serial.line", raising=False)
    with pytest.raises(MissingExtra, match=r"pip install 'etude\[feetech\]'"):
        line_at("COM7")


def test_a_port_may_name_a_line_of_its_own():
    line = line_at("sim")
    assert line.name == "sim"
    assert line.scene is not None
    assert line_at("serial").name == "serial", "the serial line is not a port"


def test_baud_rates_are_positive():
    with pytest.raises(ConfigError, match="baud_rate should be positive, got 0"):
        lines.config("serial")(port="COM7", baud_rate=0)


class TestReplugged:
    """An adapter is known by its serial number, whatever the system calls its port."""

    @pytest.fixture
    def system(self, monkeypatch):
        """Adapters by port; gives the ports that were opened, too."""
        adapters, opened = {"COM7": "A1", "COM8": "B2"}, []

        class Port:
            def __init__(self, name, baud_rate, **kwargs):
                if name not in adapters:
                    raise serial.SerialException("no such port")
                opened.append((name, baud_rate))

            def close(self):
                raise OSError("it is gone")

        def found():
            return [SimpleNamespace(device=name, serial_number=number, vid=0x1A86) for name, number in adapters.items()]

        monkeypatch.setattr(serial, "Serial", Port)
        monkeypatch.setattr(list_ports, "comports", found)
        return adapters, opened

    def test_it_is_found_under_its_new_name(self, system):
        adapters, opened = system
        line = line_at("COM7").open()
        line.close()
        del adapters["COM7"]
        adapters["COM9"] = "A1"
        line.open()
        assert opened == [("COM7", 1_000_000), ("COM9", 1_000_000)]
        assert line.name == "COM7"

    def test_another_one_that_took_its_name_is_left_alone(self, system):
        adapters, opened = system
        line = line_at("COM7").open()
        line.close()
        adapters |= {"COM7": "B2", "COM8": "A1"}
        line.open()
        assert opened[-1][0] == "COM8"
        line.close()
        del adapters["COM8"]
        with pytest.raises(DeviceError, match=r"COM7 is another adapter than before\. Plug in the one numbered A1"):
            line.open()

    def test_one_that_is_still_away_is_missed_by_its_name(self, system):
        adapters, _ = system
        line = line_at("COM7").open()
        line.close()
        del adapters["COM7"]
        with pytest.raises(NotFound, match="No serial port named 'COM7'"):
            line.open()

    def test_numbers_that_several_share_tell_nothing(self, system):
        adapters, opened = system
        adapters["COM8"] = "A1"
        line = line_at("COM7").open()
        line.close()
        line.open()
        assert [name for name, _ in opened] == ["COM7", "COM7"]

    def test_a_rate_may_be_chosen_before_it_is_opened(self, system):
        _, opened = system
        line = line_at("COM7")
        line.set_baud_rate(115_200)
        line.open()
        assert opened == [("COM7", 115_200)]


@needs_ptys
def test_a_bus_goes_on_when_its_port_comes_back(tmp_path):
    """The port is a link, as udev makes one, to a terminal that goes away; the arm moves on to another."""
    port, hosts = tmp_path / "arm", []

    def plug():
        host, ours = os.openpty()
        tty.setraw(ours)
        port.unlink(missing_ok=True)
        port.symlink_to(os.ttyname(ours))
        threading.Thread(target=serve, args=(host,), daemon=True).start()
        hosts.append((host, ours))

    def serve(host):
        chain = ServoChain([Sts3215(1), Sts3215(2)])
        with suppress(OSError):
            while True:
                os.write(host, chain.exchange(os.read(host, 256)))

    def unplug():
        for end in hosts.pop():
            os.close(end)

    plug()
    bus = FeetechBus(line_at(str(port)), MOTORS, FeetechConfig(reconnect_s=5.0))
    bus.open()
    bus.poll("Present_Position")
    unplug()
    threading.Timer(0.3, plug).start()
    assert bus.poll("Present_Position") == {"one": 2048, "two": 2048}
    assert bus.reconnects == 1
    bus.close()
    unplug()


def test_a_named_arm_is_told_to_its_line():
    line = line_at("sim:left", body="so101", is_leader=True)
    assert line.name == "sim:left"


def test_a_line_is_told_only_what_it_wants_to_know(monkeypatch):
    known = {}

    @dataclass(frozen=True, kw_only=True)
    class Bare:
        body: str = ""

    monkeypatch.setattr(lines, "packages", lambda: {"bare": "bare", "serial": "serial"})
    monkeypatch.setattr(lines, "config", lambda name: Bare)
    monkeypatch.setattr(lines, "build", lambda config: known.update(vars(config)))
    line_at("bare:left", body="koch", is_leader=True)
    assert known == {"body": "koch"}
