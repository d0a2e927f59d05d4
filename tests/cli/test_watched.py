from types import SimpleNamespace

import pytest

from etude.cli.watched import Drive, is_person
from etude.core.clock import SimClock
from etude.core.spec import Spec
from etude.data.timing import Timing


@pytest.fixture
def drive():
    env = SimpleNamespace(clock=SimClock(), robot=None, timing=Timing(time_s=1.0, trouble=("The cable was pulled.",)))
    return Drive(env, None, SimpleNamespace(show=None), None, [])


def test_what_goes_wrong_with_the_leader_is_told_with_the_frame(drive):
    drive.teleoperator = SimpleNamespace(events=("Motor 'pan' did not answer.",))
    assert drive.timing.trouble == ("The cable was pulled.", "The leader: Motor 'pan' did not answer.")
    drive.teleoperator.events = ()
    assert drive.timing is drive.env.timing


def teleoperator(*names, **more):
    return SimpleNamespace(action=Spec(shape=(len(names),), names=names), **more)


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (teleoperator("pan.step", "lift.step"), True),
        (teleoperator("pan.pos", scene=None), True),
        (teleoperator("pan.pos", scene="a simulated world"), False),
        (teleoperator("pan.pos"), False),
        (teleoperator(), False),
    ],
    ids=["keyboard", "leader", "simulated leader", "script", "nameless"],
)
def test_a_person_drives_by_steps_or_with_a_real_leader(device, expected):
    assert is_person(device) == expected
