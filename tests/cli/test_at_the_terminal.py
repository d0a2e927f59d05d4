"""A person at a terminal: keys end, repeat, hold and stop; the terminal and the dataset are whole afterwards."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest

from etude.data import open_dataset
from etude.data.check import check
from etude.data.draft import drafts

LIMIT_S = 60.0
FAKE = ("--robot.type=fake", "--teleop.type=fake", "--teleop.num_ticks=100000")
RIGHT, LEFT, ESCAPE, SPACE, CTRL_C = "\x1b[C", "\x1b[D", "\x1b", " ", "\x03"


class Terminal:
    """A command that runs in a terminal of its own."""

    def __init__(self, folder, term, *words):
        self._ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        self._text = ""
        environment = os.environ | {"TERM": term, "COLUMNS": "160", "LINES": "50", "ETUDE_HOME": str(folder / "home")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "etude", *map(str, words)], cwd=folder, env=environment, start_new_session=True,
            stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, preexec_fn=self._take_over,  # noqa: PLW1509 - no threads here
        )  # fmt: skip

    def _take_over(self):
        import fcntl

        fcntl.ioctl(self.theirs, termios.TIOCSCTTY, 0)  # so that Ctrl-C is a signal

    def press(self, keys):
        os.write(self._ours, keys.encode())

    def see(self, pattern):
        """Wait until the terminal shows `pattern`, and forget what it showed up to there."""
        limit = time.monotonic() + LIMIT_S
        while not (found := re.search(pattern, self._text)):
            assert time.monotonic() < limit, f"{pattern!r} does not appear in:\n{self._text[-2000:]}"
            if select.select([self._ours], [], [], 0.1)[0]:
                self._text += os.read(self._ours, 65536).decode(errors="replace")
        self._text = self._text[found.end() :]

    def end(self):
        """Wait for the end; give the exit code."""
        limit = time.monotonic() + LIMIT_S
        while self.process.poll() is None and time.monotonic() < limit:
            if select.select([self._ours], [], [], 0.05)[0]:
                os.read(self._ours, 65536)
        return self.process.wait(1)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self._ours)
        os.close(self.theirs)


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def open_terminal(*words, term="xterm"):
        opened.append(Terminal(tmp_path, term, *words))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


def recording(root, *words):
    return ("record", *FAKE, f"--dataset.root={root}", "--dataset.single_task=Wave", "--dataset.fps=100", *words)


def test_right_keeps_left_shows_again_escape_keeps_and_stops(terminal, tmp_path):
    root = tmp_path / "waves"
    seen = terminal(*recording(root, "--dataset.num_episodes=9", "--dataset.reset_time_s=60"))
    seen.see("episode 1 of 9")
    seen.press(RIGHT)
    seen.see("put things back")
    seen.press(RIGHT)
    seen.see("episode 2 of 9")
    seen.press(LEFT)
    seen.see("put things back")
    seen.press(RIGHT)
    seen.see("episode 2 of 9")
    seen.press(ESCAPE)
    assert seen.end() == 0
    assert termios.tcgetattr(seen.theirs) == seen.before
    assert check(root) == []
    assert len(open_dataset(root).episodes) == 2
    assert drafts(root) == []


def test_ctrl_c_leaves_the_episode_as_a_draft_and_the_dataset_whole(terminal, tmp_path):
    root = tmp_path / "waves"
    seen = terminal(*recording(root, "--dataset.num_episodes=9", "--dataset.reset_time_s=0"))
    seen.see("episode 1 of 9")
    seen.press(RIGHT)
    seen.see("episode 2 of 9")
    seen.see("[1-9] s left|[1-9] of 100")
    seen.press(CTRL_C)
    seen.see("Recordings that broke off are kept")
    assert seen.end() == 130
    assert termios.tcgetattr(seen.theirs) == seen.before
    assert check(root) == []
    assert len(open_dataset(root).episodes) == 1
    assert len(drafts(root)) == 1


def test_the_space_bar_holds_the_arm_and_lets_it_go_on(terminal):
    seen = terminal("teleoperate", *FAKE)
    seen.see("keys .*space: hold the arm")
    seen.press(SPACE)
    seen.see("The arm is held")
    seen.press(SPACE)
    seen.see("Driving fake.*\r\n.*rate.*\r\n.*camera.*\r\n.*keys")
    seen.press(ESCAPE)
    seen.see("Drove [0-9]+ ticks")
    assert seen.end() == 0
    assert termios.tcgetattr(seen.theirs) == seen.before


def test_a_dumb_terminal_shows_one_line(terminal):
    seen = terminal("teleoperate", *FAKE, term="dumb")
    seen.see(r"\r[0-9.]+ Hz")
    seen.press("q")
    seen.see("Drove [0-9]+ ticks")
    assert seen.end() == 0
