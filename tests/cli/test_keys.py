import os
import pty
import termios

import pytest

from etude.cli import keys
from etude.cli.keys import last_key, listening


@pytest.mark.parametrize(
    ("typed", "key"),
    [(b"\x1b[C", "right"), (b"n", "right"), (b"\x1b[D", "left"), (b"r", "left"), (b"\x1b", "escape"), (b"q", "escape"),
     (b"xyz", None), (b"r\x1b[C", "right")],
)  # fmt: skip
def test_what_a_terminal_sends_means_a_key(typed, key):
    assert last_key(typed) == key


@pytest.fixture
def terminal(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr(keys.sys, "stdin", stdin)
        yield ours, theirs
    os.close(ours)


def test_keys_are_heard_at_once_and_never_waited_for(terminal):
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    with listening() as pressed:
        assert pressed.pressed() is None
        os.write(ours, b"\x1b[D")
        assert pressed.pressed() == "left"
        assert pressed.pressed() is None
    assert termios.tcgetattr(theirs) == before
    assert os.get_blocking(theirs)


def test_without_a_terminal_no_key_is_pressed(monkeypatch, tmp_path):
    (tmp_path / "in").write_text("q")
    with (tmp_path / "in").open() as stdin:
        monkeypatch.setattr(keys.sys, "stdin", stdin)
        with listening() as pressed:
            assert pressed.pressed() is None
