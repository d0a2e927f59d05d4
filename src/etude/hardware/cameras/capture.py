"""Opening a camera or a file with OpenCV, which shall not print what we say in our own words."""

from __future__ import annotations

import cv2

_LOG = cv2.utils.logging


def capture_at(place: int | str) -> cv2.VideoCapture:
    """Open `place`, a number, device, address or file; whether that went well is told by `isOpened`."""
    before = _LOG.getLogLevel()
    _LOG.setLogLevel(_LOG.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(place)
    finally:
        _LOG.setLogLevel(before)
