"""A serial line over pyserial, whose errors are told in our words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, Self

from etude.core.errors import DeviceError, MissingExtra, NotFound
from etude.hardware.lines.serial.config import Config
from etude.hardware.names import known_devices

try:
    import serial
    from serial.tools import list_ports
except ImportError as error:
    raise MissingExtra("A serial port", "feetech") from error

try:
    from termios import error as TerminalError  # noqa: N812 - it is a class
except ImportError:  # Windows has no terminals of this kind, hence no such errors
    TerminalError = OSError

_WRITE_TIMEOUT_S = 1.0
_TAKEN = (errno.EAGAIN, errno.EBUSY)
"""What the system says of a port that somebody else has locked."""


def build(config: Config) -> SerialLine:
    """Make the line; it is not open yet."""
    return SerialLine(config)


class SerialLine:
    """A serial port, opened for us alone.

    One that was open before is found again by the serial number of its USB adapter, whatever the system calls it now.
    """

    scene = None

    def __init__(self, config: Config) -> None:
        self.name = config.port
        self._baud_rate = config.baud_rate
        self._port: serial.Serial | None = None
        self._adapter: str | None = None

    def open(self) -> Self:
        """Open the port; raise `NotFound` when there is none of that name, `DeviceError` when it refuses."""
        device = self._device()
        try:
            self._port = serial.Serial(device, self._baud_rate, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
        except (OSError, ValueError, TerminalError) as error:
            self._explain(error)
        _hurry(self._port)
        self._adapter = self._adapter or _number_of(device)
        return self

    def write(self, data: bytes) -> None:
        """Send `data`."""
        with self._opened() as port:
            port.write(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        """Receive up to `size` bytes, fewer when `timeout_s` passes first."""
        with self._opened() as port:
            if port.timeout != timeout_s:
                port.timeout = timeout_s  # slow, so only when it changes
            return port.read(size)

    def discard(self) -> None:
        """Forget what was received and not read."""
        with self._opened() as port:
            port.reset_input_buffer()

    def set_baud_rate(self, baud_rate: int) -> None:
        """Go on at another rate [bits/s]."""
        self._baud_rate = baud_rate
        if self._port is not None:
            with self._opened() as port:
                port.baudrate = baud_rate

    def close(self) -> None:
        """Close the port; harmless when it is not open."""
        port, self._port = self._port, None
        if port:
            with suppress(OSError, TerminalError):  # an unplugged one cannot even be closed properly
                port.close()

    def _device(self) -> str:
        """Tell what the system calls the port now; raise `DeviceError` when another adapter has taken its name."""
        here = str(Path(self.name).resolve()) if Path(self.name).exists() else self.name
        adapters = _adapters()
        if self._adapter in adapters:
            return adapters[self._adapter]
        if self._adapter and here in adapters.values():
            raise DeviceError(f"{self.name} is another adapter than before. Plug in the one numbered {self._adapter}.")
        return here

    @contextmanager
    def _opened(self) -> Iterator[serial.Serial]:
        if self._port is None:
            raise DeviceError(f"The serial port {self.name} is not open.")
        try:
            yield self._port
        except (OSError, TerminalError) as error:
            raise DeviceError(
                f"The serial port {self.name} failed: {error}. Check that its cable is plugged in, then connect again."
            ) from error

    def _explain(self, error: Exception) -> NoReturn:
        if not Path(self.name).exists() and self.name not in _devices():
            known = {*_devices(usb_only=True), *known_devices().arms}  # no arm is on a port that is built in
            advice = "Is the arm plugged in? etude find-port shows which ports there are."
            raise NotFound("serial port", self.name, known, advice) from error
        if getattr(error, "errno", None) in _TAKEN:
            raise DeviceError(
                f"The serial port {self.name} is in use: another program has it, or it was given for two arms. "
                "Close that program, or give each arm its own port."
            ) from error
        raise DeviceError(
            f"The serial port {self.name} cannot be opened: {error}. "
            "Close other programs that use it; on Linux, your user must belong to the group 'dialout'."
        ) from error


def _devices(*, usb_only: bool = False) -> list[str]:
    return [port.device for port in list_ports.comports() if port.vid is not None or not usb_only]


def _adapters() -> dict[str, str]:
    """Map the serial numbers of USB adapters to their ports; those that several share tell nothing."""
    ports = [(port.serial_number, port.device) for port in list_ports.comports() if port.serial_number]
    numbers = [number for number, _ in ports]
    return {number: device for number, device in ports if numbers.count(number) == 1}


def _number_of(device: str) -> str | None:
    return next((number for number, port in _adapters().items() if port == device), None)


def _hurry(port: serial.Serial) -> None:
    """Let the adapter hand over each byte at once, where the system and the adapter can do so (Linux, FTDI)."""
    hurry = getattr(port, "set_low_latency_mode", None)
    with suppress(OSError, ValueError, NotImplementedError, TerminalError):
        if hurry:
            hurry(True)
