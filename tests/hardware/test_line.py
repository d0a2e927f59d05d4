import os
import sys
import threading
import tty

import pytest
import serial

from etude.core.errors import ConfigError, DeviceError, MissingExtra, NotFound
from etude.hardware import lines
from etude.hardware.bus import Motor
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.line import line_at
from etude.sim.servos.feetech.servo import ServoChain, Sts3215

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


def test_a_port_that_is_not_there_is_the_users_mistake():
    with pytest.raises(NotFound, match="No serial port named '/dev/ttyNONE'") as caught:
        line_at("/dev/ttyNONE").open()
    assert caught.value.exit_code == 2


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
