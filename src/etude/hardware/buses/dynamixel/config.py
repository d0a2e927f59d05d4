"""Values of a bus of Dynamixel servos."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.buses.bus_config import BusConfig


@dataclass(frozen=True, kw_only=True)
class Config(BusConfig):
    """A wire with Dynamixel servos of the X series, protocol 2.0."""

    body: str = "koch"
    """The arm that is simulated behind the port `sim`."""
