import pytest

from etude.core.clock import SimClock
from etude.core.errors import MotorSilent
from etude.hardware.lowering import lower


class Shoulder:
    """A bus with one motor that is where it is sent, and answers where it is unless `hears` says otherwise."""

    def __init__(self, hears):
        self.at, self._hears, self._asked = 2000, hears, 0

    def sync_write(self, name, values):
        self.at = values["shoulder"]

    def sync_read(self, name, motors):
        self._asked += 1
        if not self._hears(self._asked):
            raise MotorSilent("shoulder", 1, "memory")
        return {"shoulder": self.at}


def test_lost_answers_do_not_drop_an_arm():
    bus = Shoulder(lambda asked: asked % 5 == 1)
    assert lower(bus, {"shoulder": 1500}, SimClock())
    assert bus.at == 1500


def test_a_motor_that_stays_silent_is_not_driven_blindly():
    bus = Shoulder(lambda asked: asked < 10)
    with pytest.raises(MotorSilent):
        lower(bus, {"shoulder": 1000}, SimClock())
    assert bus.at > 1800
