import os
import pty
import sys
import termios
import time

import pytest

from etude.cli.keys import listening
from etude.cli.leaving import Leaving


@pytest.fixture
def terminal(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield ours, theirs
    os.close(ours)


@pytest.mark.parametrize(
    ("typed", "key"),
    [(b"\x1b[C", "right"), (b"n", "right"), (b"\r", "right"), (b"\x1b[D", "left"), (b"r", "left"), (b"q", "escape"),
     (b" ", "space")],
)  # fmt: skip
def test_what_a_terminal_sends_means_a_key(terminal, typed, key):
    with listening() as keys:
        os.write(terminal[0], typed)
        assert keys.pressed() == [key]


def test_keys_are_heard_at_once_and_never_waited_for(terminal):
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    with listening() as keys:
        assert keys.is_heard
        assert keys.pressed() == []
        os.write(ours, b"x\x1b[D n")
        assert keys.pressed() == ["left", "space", "right"]
        assert keys.pressed() == []
    assert termios.tcgetattr(theirs) == before
    assert os.get_blocking(theirs)


def test_without_a_terminal_no_key_is_pressed(monkeypatch, tmp_path):
    (tmp_path / "in").write_text("q")
    with (tmp_path / "in").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with listening() as keys:
            assert not keys.is_heard
            assert keys.pressed() == []


def test_a_second_escape_interrupts_the_way_to_rest(terminal, capsys):
    leaving = Leaving("The arm comes to rest.")
    leaving.begin()
    os.write(terminal[0], b"q")
    with pytest.raises(KeyboardInterrupt):
        for _ in range(200):
            time.sleep(0.05)
    leaving.end()
    assert "comes to rest" in capsys.readouterr().err


def test_who_presses_nothing_is_not_interrupted(terminal):
    before = termios.tcgetattr(terminal[1])
    leaving = Leaving("The arm comes to rest.")
    leaving.end()
    leaving.begin()
    leaving.end()
    assert termios.tcgetattr(terminal[1]) == before
