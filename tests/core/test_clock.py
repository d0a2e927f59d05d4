import time

import pytest

from etude.core.clock import Clock, RealClock, SimClock


def test_simulated_time_passes_only_while_somebody_sleeps():
    told = []
    clock = SimClock(told.append)
    clock.sleep_until(1.5)
    clock.sleep_until(1.0)
    clock.sleep_until(2.0)
    assert clock.now() == 2.0
    assert told == pytest.approx([1.5, 0.5])


def test_real_time_is_waited_for():
    clock = RealClock()
    instant = clock.now() + 0.02
    clock.sleep_until(instant)
    assert clock.now() >= instant
    began = time.perf_counter()
    clock.sleep_until(clock.now() - 100)
    assert time.perf_counter() - began < 1


def test_both_are_clocks():
    assert isinstance(RealClock(), Clock)
    assert isinstance(SimClock(), Clock)
