"""Values of a bus of Feetech servos."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.buses.bus_config import BusConfig


@dataclass(frozen=True, kw_only=True)
class Config(BusConfig):
    """A wire with Feetech servos of the STS and SMS series, or of the SCS series."""
