"""Says aloud what is going on, for who looks at the robot and not at the screen; never waits for the voice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress

PLAYERS = {
    "darwin": ("say",),
    "linux": ("spd-say", "--wait"),
}
"""Programs that speak, by system; the words follow."""


def has_player() -> bool:
    """Whether this computer has a program that speaks."""
    player = PLAYERS.get(sys.platform)
    return player is not None and shutil.which(player[0]) is not None


class Sounds:
    """Speaks, one sentence at a time, or rings the terminal's bell where nothing can speak."""

    def __init__(self, *, is_on: bool) -> None:
        self._is_on, self._has_player = is_on, has_player()
        self._voice: subprocess.Popen[bytes] | None = None

    def tell(self, sentence: str) -> None:
        """Say it aloud, unless the last sentence is still being said; nothing when sounds are off."""
        if not self._is_on:
            return
        if not self._has_player:
            print("\a", end="", file=sys.stderr, flush=True)
        elif self._voice is None or self._voice.poll() is not None:
            with suppress(OSError):  # a voice that fails is no reason to stop a recording
                self._voice = subprocess.Popen(  # noqa: S603 - one of the programs above
                    [*PLAYERS[sys.platform], sentence],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
