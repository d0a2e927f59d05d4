"""Finding the line behind a port."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from etude.hardware import lines
from etude.hardware.device import Line
from etude.hardware.names import resolve_port

_SERIAL = "serial"


def line_at(port: str, *, body: str = "so101", is_leader: bool = False) -> Line:
    """Give the line that `port` names, not yet open: one of its own such as the simulated `sim`, else a serial port.

    A line of its own may have a name after a colon (`sim:left`); it is told that and which arm is expected there, as
    far as it wants to know. A serial port may be called by a remembered name, such as `left`.
    """
    plugin, _, name = port.partition(":")
    if plugin != _SERIAL and plugin in lines.packages():
        config = lines.config(plugin)
        known: dict[str, Any] = {"body": body, "is_leader": is_leader} | ({"name": name} if name else {})
        wanted = {field.name for field in fields(config)}
        return lines.build(config(**{key: value for key, value in known.items() if key in wanted}))
    return lines.build(lines.config(_SERIAL)(port=resolve_port(port)))
