"""Keys drive an arm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from etude.core.clock import Clock, RealClock
from etude.core.errors import DeviceError
from etude.hardware.teleoperators.keyboard.config import Config
from etude.hardware.teleoperators.keyboard.keys import KeySource
from etude.hardware.teleoperators.keyboard.terminal import listen
from etude.hardware.teleoperators.steps import Pushes, step_spec

HAND_KEYS = {
    "w": ("hand.x", 1), "s": ("hand.x", -1), "a": ("hand.y", 1), "d": ("hand.y", -1),
    "t": ("hand.z", 1), "g": ("hand.z", -1), "up": ("hand.z", 1), "down": ("hand.z", -1),
    "y": ("hand.pitch", -1), "h": ("hand.pitch", 1), "u": ("hand.roll", 1), "j": ("hand.roll", -1),
}  # fmt: skip
"""What keys do to the hand; pitch up lifts the fingers."""
OPEN_KEY, CLOSE_KEY = "o", "l"
STOP_KEY = "space"
FASTER, SLOWER = frozenset("+="), frozenset("-")
_SPEED_STEP, _SPEEDS = 1.25, (0.1, 4.0)


def build(config: Config, keys: Callable[[], KeySource] = listen, clock: Clock | None = None) -> Keyboard:
    """Make the teleoperator; `keys` opens what keys are read from when it connects, the terminal if not given."""
    return Keyboard(config, keys, clock or RealClock())


class Keyboard:
    """Moves what keys are held for; space stops at once, plus and minus change the speed."""

    def __init__(self, config: Config, keys: Callable[[], KeySource], clock: Clock) -> None:
        self.action = step_spec(config.speeds())
        self._config, self._open, self._clock = config, keys, clock
        self._meaning = _meaning(config)
        self._pushes = Pushes(config.speeds(), clock)
        self._source: KeySource | None = None
        self._held: dict[str, tuple[int, float]] = {}
        self._faster = 1.0

    @property
    def invitation(self) -> str:
        """What each key does, to be shown to a person."""
        keys: dict[str, list[str]] = {}
        for key, (name, sign) in self._meaning.items():
            if len(key) == 1:
                keys.setdefault(name, []).append(f"{key} {'+' if sign > 0 else '-'}")
        pairs = "   ".join(f"{name.removeprefix('hand.')}: {' '.join(both)}" for name, both in keys.items())
        return f"Keys move the {'hand' if self._config.mode == 'hand' else 'joints'}: {pairs}   faster, slower: + -"

    def connect(self) -> None:
        """Listen to the keys."""
        if self._source is None:
            self._source = self._open()
            self._begin()

    def disconnect(self) -> None:
        """Leave the terminal as it was."""
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def reset(self, seed: int) -> None:
        """Forget what was held; nothing else depends on the episode."""
        del seed
        self._connected()
        self._begin()

    def read(self) -> np.ndarray:
        """Give the steps of this tick, zero for what is not held."""
        now = self._clock.now()
        for key in self._connected().typed():
            self._press(key, now)
        self._held = {name: (sign, until) for name, (sign, until) in self._held.items() if until > now}
        return self._pushes.steps({name: sign for name, (sign, _) in self._held.items()}, self._faster)

    def _press(self, key: str, now: float) -> None:
        if key == STOP_KEY:
            self._held.clear()
        elif key in FASTER or key in SLOWER:
            wanted = self._faster * (_SPEED_STEP if key in FASTER else 1 / _SPEED_STEP)
            self._faster = min(max(wanted, _SPEEDS[0]), _SPEEDS[1])
        elif key in self._meaning:
            name, sign = self._meaning[key]
            self._held[name] = (sign, now + self._config.hold_s)

    def _begin(self) -> None:
        self._connected().typed()
        self._held.clear()
        self._pushes.begin()

    def _connected(self) -> KeySource:
        if self._source is None:
            raise DeviceError("The keyboard is not connected. Call connect() first.")
        return self._source


def _meaning(config: Config) -> dict[str, tuple[str, int]]:
    """Map keys to what they move, and which way."""
    if config.mode == "joints":
        pairs = zip(config.joints, config.keys, strict=False)
        return {key: (joint, sign) for joint, keys in pairs for key, sign in zip(keys, (1, -1), strict=True)}
    grip = {OPEN_KEY: (config.gripper, 1), CLOSE_KEY: (config.gripper, -1)} if config.gripper else {}
    return HAND_KEYS | grip
