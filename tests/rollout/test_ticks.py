import gc
import sys
from types import SimpleNamespace

import pytest

from etude.core.clock import RealClock, SimClock
from etude.rollout.ticks import BREATHLESS, RECENT, Pacer, Tick, Ticks
from etude.rollout.undisturbed import SWITCH_S, undisturbed


class Drowsy(SimClock):
    """A clock by which one wakes up too late."""

    late_s = 0.0

    def sleep_until(self, instant):
        super().sleep_until(instant + self.late_s)


def test_a_tick_counts_its_work_and_its_whole_length():
    clock = SimClock()
    pacer = Pacer(clock, 10)
    clock.sleep_until(0.03)
    pacer.wait()
    assert pacer.ticks.recent[0] == Tick(period_s=pytest.approx(0.1), used_s=pytest.approx(0.03))
    assert pacer.ticks.late == 0


def test_who_wakes_up_late_is_late_and_keeps_the_rhythm():
    clock = Drowsy()
    pacer = Pacer(clock, 10)
    clock.late_s = 0.02
    pacer.wait()
    clock.late_s = 0.0
    pacer.wait()
    assert pacer.ticks.late == 1
    assert clock.now() == pytest.approx(0.2)


def test_a_moment_late_is_not_late():
    clock = Drowsy()
    clock.late_s = 0.0005
    pacer = Pacer(clock, 10)
    pacer.wait()
    assert pacer.ticks.late == 0


def test_time_to_spare_is_told_of_and_only_then():
    clock, told = SimClock(), []
    pacer = Pacer(clock, 10, on_slack=lambda: told.append(round(clock.now(), 3)))
    pacer.wait()
    clock.sleep_until(0.25)
    pacer.wait()
    assert told == [0]


def test_a_pacer_begins_when_it_is_told_to():
    clock = SimClock()
    pacer = Pacer(clock, 10)
    clock.sleep_until(5)
    assert pacer.start() == 5
    pacer.wait()
    assert clock.now() == pytest.approx(5.1)
    assert pacer.ticks.late == 0


def test_rate_and_work_are_those_of_the_last_ticks():
    ticks = Ticks()
    assert (ticks.rate_hz, ticks.used_s) == (0.0, (0.0, 0.0))
    for period in [5.0] + RECENT * [0.1]:
        ticks.add(Tick(period_s=period, used_s=period / 2), is_late=period > 1)
    ticks.recent[-1] = Tick(period_s=0.1, used_s=0.09)
    assert ticks.rate_hz == pytest.approx(10)
    assert ticks.used_s == (pytest.approx(0.05), 0.09)
    assert (ticks.count, ticks.late) == (RECENT + 1, 1)


def test_the_process_is_as_it_was_after_a_loop():
    before = sys.getswitchinterval(), gc.isenabled()
    with undisturbed():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_S, rel=0.01)
        assert not gc.isenabled()
    assert (sys.getswitchinterval(), gc.isenabled()) == before


def test_only_real_time_is_guarded():
    before = sys.getswitchinterval()
    with Pacer(SimClock(), 10).undisturbed():
        assert sys.getswitchinterval() == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other priorities")
def test_a_thread_has_its_old_priority_after_a_loop():
    import os

    before = os.sched_getscheduler(0)
    with undisturbed():
        pass
    assert os.sched_getscheduler(0) == before


@pytest.fixture
def scheduler(monkeypatch):
    """The system grants real-time priority, and as to anybody, does not take back that children go without."""
    state = SimpleNamespace(policy=0)

    def choose(_, policy, parameters):
        if state.policy & RESET and not policy & RESET:
            raise PermissionError
        state.policy = policy

    monkeypatch.setattr("os.sched_getscheduler", lambda _: state.policy)
    monkeypatch.setattr("os.sched_setscheduler", choose)
    return state


RESET, FIFO = 0x40000000, 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other priorities")
class TestPriority:
    def test_without_privileges_too_it_ends_with_the_block(self, scheduler):
        with undisturbed():
            assert scheduler.policy == FIFO | RESET
        assert scheduler.policy == RESET, "an ordinary thread"
        with undisturbed():
            assert scheduler.policy == FIFO | RESET
        assert scheduler.policy == RESET

    def test_a_loop_that_never_rests_gives_it_up(self, scheduler):
        pacer = Pacer(RealClock(), 1e9)
        for _ in range(2):
            with pacer.undisturbed():
                for _ in range(BREATHLESS - 1):
                    pacer.wait()
                assert scheduler.policy == FIFO | RESET
                pacer.wait()
                assert scheduler.policy == RESET
