import io
import time

import pytest
from rich.console import Console

from etude.cli.screen import Caption, Screen, page, screen, summary
from etude.cli.vitals import health_lines
from etude.hardware.health import CameraHealth, Health, Tally, Vitals
from etude.rollout.live import View

HEALTH = Health(
    motors={
        "pan": Vitals(voltage_v=12.1, temperature_c=31, load=0.1),
        "lift": Vitals(voltage_v=11.6, temperature_c=44, load=-0.62, faults=("overload",)),
    },
    tallies={"pan": Tally(asked=100), "lift": Tally(asked=100, missed=3, damaged=1)},
    cameras={"front": CameraHealth(fps=29.97, age_s=0.012, reconnects=2)},
    warnings=("Motor 'lift' is hot.",),
)
VIEW = View(
    rate_hz=29.98, used_s=(0.0042, 0.0079), num_ticks=90, late_ticks=3, clipped=("pan is too fast",),
    events=("lift did not answer.",), num_events=4, health=HEALTH,
)  # fmt: skip


@pytest.fixture
def caption():
    return Caption(title="Recording blocks", hz=30, phase="episode 2 of 50", seconds_left=60, keys="→: keep")


def drawn(caption, view):
    console = Console(file=io.StringIO(), width=120)
    console.print(page(caption, view))
    return console.file.getvalue()


def test_health_is_the_worst_of_each_kind_and_whose_it_is():
    assert list(health_lines(HEALTH)) == [
        ("motors", "11.6 V, 44 °C (lift), load 62 % (lift), lift: overload"),
        ("bus", "4 of 200 answers missed, most of lift"),
        ("camera", "front 30.0 fps, 12 ms old, reopened 2 times"),
    ]
    assert list(health_lines(Health())) == []
    assert list(health_lines(Health(tallies={"pan": Tally(asked=7)}))) == [("bus", "every answer of 7 came")]


def test_the_view_tells_everything_that_matters(caption):
    text = drawn(caption, VIEW)
    for told in (
        "Recording blocks", "episode 2 of 50", "57 s left", "30.0 of 30 Hz", "3 late", "4.2 of 33.3 ms, at most 7.9",
        "11.6 V", "pan is too fast", "lift did not answer.", "Motor 'lift' is hot.", "→: keep",
    ):  # fmt: skip
        assert told in text


def test_an_arm_far_from_its_leader_is_told_of_and_a_held_one_too(caption):
    caption.gap = ("elbow_flex", 43.2)
    assert "elbow_flex is 43 from where it is wanted; the arm goes there gently." in drawn(caption, VIEW)
    caption.is_held = True
    assert "The arm is held." in drawn(caption, VIEW)


def test_one_line_holds_the_most_important(caption):
    caption.is_held = True
    assert summary(caption, VIEW).startswith(
        "episode 2 of 50 | 30.0 Hz, 3 late | 57 s left | HELD | 4 with trouble | M"
    )


def test_showing_never_waits_for_a_slow_terminal(caption):
    drawn = []

    def slow(caption, view):
        time.sleep(0.05)
        drawn.append(view.num_ticks)

    shown = Screen(caption, slow)
    for number in range(1000):
        shown.show(View(num_ticks=number))
    shown.close()
    assert len(drawn) < 100
    assert drawn[-1] == 999


def test_a_terminal_that_is_gone_stops_nothing(caption):
    def gone(caption, view):
        raise OSError

    shown = Screen(caption, gone)
    shown.show(VIEW)
    shown.close()


def test_without_a_terminal_it_is_a_log(caption, capsys):
    with screen(caption) as shown:
        assert shown.is_log
        shown.show(VIEW)
    assert "\x1b" not in capsys.readouterr().err
