import os
import signal
import sys

import pytest

from etude.cli.controls import controls, interruptible

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")


@pytest.fixture(params=[signal.SIGTERM, signal.SIGHUP])
def number(request):
    before = signal.getsignal(request.param)
    yield request.param
    signal.signal(request.param, before)


def test_an_end_from_outside_interrupts_as_ctrl_c_does(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


def test_a_terminal_that_goes_interrupts_once_and_nobody_on_the_way_out():
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            os.kill(os.getpid(), signal.SIGHUP)
        finally:
            os.kill(os.getpid(), signal.SIGHUP)
            reached = True
    assert reached


def test_who_was_told_to_outlive_the_terminal_does(number):
    signal.signal(number, signal.SIG_IGN)
    with interruptible():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == signal.SIG_IGN


def test_within_it_a_rollout_still_ends_with_its_tick():
    with interruptible(), controls(ctrl_c_ends=True) as wishes:
        os.kill(os.getpid(), signal.SIGTERM)
        wishes.look()
        assert wishes.is_ended
        assert wishes.wants_stop
