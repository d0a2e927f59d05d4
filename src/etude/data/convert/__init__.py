"""One format into another: any into LeRobot v3.0, and LeRobot v3.0 back into v2.1."""

from etude.data.convert.convert import TARGETS, Conversion, convert, opened

__all__ = ["TARGETS", "Conversion", "convert", "opened"]
