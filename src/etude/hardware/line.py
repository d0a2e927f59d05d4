"""Finding the line behind a port."""

from __future__ import annotations

from etude.hardware import lines
from etude.hardware.device import Line

_SERIAL = "serial"


def line_at(port: str) -> Line:
    """Give the line that `port` names, not yet open: one of its own such as the simulated `sim`, else a serial port."""
    if port != _SERIAL and port in lines.packages():
        return lines.build(lines.config(port)())
    return lines.build(lines.config(_SERIAL)(port=port))
