"""OpenCV is quiet about what does not open, and only about that."""

import cv2
import pytest

from etude.hardware.cameras.capture import capture_at

log = cv2.utils.logging


@pytest.mark.parametrize("place", [9999, "/dev/video9999", "no-such-file.mp4"])
def test_what_does_not_open_says_nothing(place, capfd):
    assert not capture_at(place).isOpened()
    assert capfd.readouterr() == ("", "")


def test_afterwards_opencv_says_as_much_as_before():
    before = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_INFO)
    capture_at(9999)
    assert log.getLogLevel() == log.LOG_LEVEL_INFO
    log.setLogLevel(before)
