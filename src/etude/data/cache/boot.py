"""Whether a half-written file can be trusted: only while the machine that wrote it has not restarted.

What a program has written survives its own end, but not a power cut, in whatever order the disk was reached.
"""

from __future__ import annotations

import re
import secrets
from functools import cache
from pathlib import Path


@cache
def this_boot() -> str:
    """Name the time since this machine started; where it does not tell, the time since this process did."""
    try:
        told = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        told = secrets.token_hex(8)
    return re.sub(r"[^0-9a-f]", "", told)[:16]
