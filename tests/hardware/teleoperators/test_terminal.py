import os
import pty
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import DeviceError
from etude.hardware import teleoperators
from etude.hardware.teleoperators.keyboard import terminal
from etude.hardware.teleoperators.keyboard.terminal import SEQUENCES, listen, parse


@pytest.mark.parametrize(
    ("typed", "keys"),
    [(b"wA", ["w", "A"]), (b"\x1b[C", ["right"]), (b"\x1bOD", ["left"]), (b"r\x1b[Aw", ["r", "up", "w"]),
     (b"\x1b", ["escape"]), (b"\x1b\x1b", ["escape", "escape"]), (b"\x1bw", ["escape", "w"]), (b" \r\n\x7f",
     ["space", "enter", "enter", "backspace"]), (b"\x1b[1;5Cq", ["q"]), ("ü€".encode(), ["ü", "€"]),
     (b"\x00\xffx", ["x"]), (b"\xc3q", ["q"])],
)  # fmt: skip
def test_what_a_terminal_sends_becomes_keys(typed, keys):
    assert parse(typed, is_over=True) == (keys, b"")


@given(st.lists(st.sampled_from([*SEQUENCES, b"w", b"q", "ü".encode()])), st.integers(1, 5))
def test_keys_that_come_in_pieces_are_put_together(typed, size):
    whole, rest, keys = b"".join(typed), b"", []
    for start in range(0, len(whole), size):
        more, rest = parse(rest + whole[start : start + size], is_over=False)
        keys += more
    assert (keys, rest) == parse(whole, is_over=False)


@given(st.binary(max_size=30))
def test_no_bytes_are_too_strange(typed):
    keys, rest = parse(typed, is_over=True)
    assert rest == b""
    assert all(keys)


@pytest.fixture
def line(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr(terminal.sys, "stdin", stdin)
        yield ours, theirs
    os.close(ours)


def test_everybody_who_listens_hears_every_key(line):
    ours, theirs = line
    before = termios.tcgetattr(theirs)
    driver, recorder = listen(), listen()
    os.write(ours, b"w\x1b[C")
    assert driver.typed() == ["w", "right"]
    assert recorder.typed() == ["w", "right"]
    assert os.get_blocking(theirs)  # or printing over the same line would fail when it is slow
    assert driver.typed() == []
    driver.close()
    os.write(ours, b"q")
    assert recorder.typed() == ["q"]
    recorder.close()
    recorder.close()
    assert termios.tcgetattr(theirs) == before


def test_the_keyboard_hears_the_terminal(line):
    ours, _ = line
    keyboard = teleoperators.build(teleoperators.config("keyboard")())
    keyboard.connect()
    os.write(ours, b"w")
    steps = keyboard.read()
    keyboard.disconnect()
    assert steps[0] > 0
    assert not steps[1:].any()


def test_without_a_terminal_the_keyboard_says_so(monkeypatch, tmp_path):
    (tmp_path / "in").write_text("w")
    keyboard = teleoperators.build(teleoperators.config("keyboard")())
    with (tmp_path / "in").open() as stdin:
        monkeypatch.setattr(terminal.sys, "stdin", stdin)
        with pytest.raises(DeviceError, match="runs in none"):
            keyboard.connect()
