"""Finding the line behind a port."""

from __future__ import annotations

from etude.hardware import lines
from etude.hardware.device import Line

_SERIAL = "serial"


def has_own_line(port: str) -> bool:
    """Whether `port` names a line of its own, such as the simulated `sim`, rather than a serial port."""
    return port != _SERIAL and port in lines.packages()


def line_at(port: str) -> Line:
    """Give the line that `port` names, not yet open: one of its own, else a serial port."""
    if has_own_line(port):
        return lines.build(lines.config(port)())
    return lines.build(lines.config(_SERIAL)(port=port))
