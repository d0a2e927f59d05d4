"""Our own commands, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence


def run_etude(words: Sequence[str], *, reads: bool = False) -> tuple[int, str]:
    """Run `etude` with `words`; give its exit code and, if it `reads`, what the command printed.

    Ctrl-C reaches the command, too; it is waited for, as it saves what it has, before `KeyboardInterrupt` goes on.
    """
    output = subprocess.PIPE if reads else None
    child = subprocess.Popen([sys.executable, "-m", "etude", *words], stdout=output, text=True)  # noqa: S603  our own
    try:
        printed, _ = child.communicate()
    except KeyboardInterrupt:
        child.communicate()  # reads on, or a command that prints would wait for ever
        raise
    return child.returncode, printed or ""
