"""Cameras: a folder each."""

from etude.hardware.cameras.text import parse_cameras

__all__ = ["parse_cameras"]
