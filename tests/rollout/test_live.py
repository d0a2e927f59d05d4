import numpy as np
import pytest

from etude.envs.env import Step
from etude.hardware.health import Health
from etude.rollout import live
from etude.rollout.live import LiveSink
from etude.rollout.ticks import Tick, Ticks


class Arm:
    clipped = events = ()

    def health(self):
        return Health(warnings=("It is warm.",))


@pytest.fixture
def now(monkeypatch):
    """The wall's time, which the test sets."""
    time = [100.0]
    monkeypatch.setattr(live.time, "perf_counter", lambda: time[0])
    return time


@pytest.fixture
def watched(now):
    arm, ticks, views = Arm(), Ticks(), []
    sink = LiveSink(arm, ticks, views.append)
    sink.begin(0)
    return arm, ticks, views, sink


def tick(sink):
    sink.tick({}, Step(frame={}, action=np.zeros(1)))


def test_a_look_is_taken_in_spare_time_but_not_in_every_tick(watched, now):
    _, ticks, views, sink = watched
    ticks.add(Tick(period_s=0.1, used_s=0.02), is_late=True)
    for _ in range(10):
        tick(sink)
        sink.spare()
        now[0] += 0.1
    assert len(views) == 4
    assert (views[-1].num_ticks, views[-1].late_ticks, views[-1].rate_hz) == (10, 1, pytest.approx(10))
    assert views[-1].health.warnings == ("It is warm.",)


def test_without_spare_time_looks_are_seldom_but_taken(watched, now):
    *_, views, sink = watched
    for _ in range(30):
        tick(sink)
        now[0] += 0.1
    assert 2 <= len(views) <= 3


def test_what_happened_in_one_tick_stays_in_view_for_a_while(watched, now):
    arm, _, views, sink = watched
    arm.clipped, arm.events = ("pan is too fast",), ("lift was silent",)
    tick(sink)
    arm.clipped = arm.events = ()
    now[0] += 1
    tick(sink)
    assert (views[-1].clipped, views[-1].events, views[-1].num_events) == (
        ("pan is too fast",),
        ("lift was silent",),
        1,
    )
    now[0] += 2
    tick(sink)
    assert (views[-1].clipped, views[-1].events, views[-1].num_events) == ((), (), 1)
