"""Commands in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from etude.core.child import run_etude

INTERRUPTED = """
import os, signal, threading, time
from etude.core import child
real = child.subprocess.Popen

def start(words, **how):
    talks = "import signal, sys, time\\nsignal.signal(signal.SIGINT, lambda *_: (print('x' * 10**6), sys.exit(0)))\\n"
    talks += "print('ready', file=sys.stderr, flush=True)\\ntime.sleep(60)"
    return real([words[0], "-c", talks], **how)

child.subprocess.Popen = start
try:
    child.run_etude(["any"], reads=True)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_it_gives_what_the_command_printed_and_its_exit_code():
    code, printed = run_etude(["--version"], reads=True)
    assert code == 0
    assert printed.strip()
    assert run_etude(["nonsense"])[0] == 2


def test_ctrl_c_waits_for_a_command_that_still_has_much_to_say():
    """More than a pipe holds."""
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr.readline().strip() == "ready"
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=30)
    assert printed.strip() == "interrupted"
