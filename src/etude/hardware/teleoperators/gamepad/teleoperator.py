"""A gamepad drives an arm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from etude.core.clock import Clock, RealClock
from etude.core.errors import DeviceError
from etude.hardware.teleoperators.gamepad.config import Config
from etude.hardware.teleoperators.gamepad.pad import Pad, PadState, SdlPad
from etude.hardware.teleoperators.steps import Pushes, step_spec

HAND_AXES = {
    "hand.x": ("lefty", -1), "hand.y": ("leftx", -1), "hand.z": ("righty", -1),
    "hand.roll": ("rightx", 1), "hand.pitch": ("dpy", -1),
}  # fmt: skip
"""What moves the hand, and which way round; `dpx` and `dpy` are the cross, to the right and up."""
JOINT_AXES = (("leftx", 1), ("lefty", -1), ("righty", -1), ("dpy", -1), ("rightx", 1))
"""What turns the joints, in their order."""
UNPLUGGED = "The gamepad is gone: the arm holds still. Plug it in again, or switch it on."


def build(config: Config, pad: Callable[[str], Pad] = SdlPad, clock: Clock | None = None) -> Gamepad:
    """Make the teleoperator; `pad` opens the gamepad by its name when it connects, through SDL if not given."""
    return Gamepad(config, pad, clock or RealClock())


class Gamepad:
    """Moves the arm while the dead-man button is held; triggers open and close the gripper."""

    def __init__(self, config: Config, pad: Callable[[str], Pad], clock: Clock) -> None:
        self.action = step_spec(config.speeds())
        self.problem = ""
        """Why the arm holds still, in words; empty when all is well."""
        self._config, self._open = config, pad
        self._axes = _axes(config)
        self._pushes = Pushes(config.speeds(), clock)
        self._pad: Pad | None = None

    @property
    def invitation(self) -> str:
        """What to do, to be shown to a person."""
        held = "" if self._config.dead_man == "none" else f"Hold the button {self._config.dead_man} to move the arm. "
        axes = "   ".join(f"{name.removeprefix('hand.')}: {axis}" for name, (axis, _) in self._axes.items())
        return f"{held}{axes}   gripper: triggers".replace("dpy", "cross up, down")

    def connect(self) -> None:
        """Open the gamepad."""
        if self._pad is None:
            self._pad = self._open(self._config.name)
            self._pushes.begin()

    def disconnect(self) -> None:
        """Let go of the gamepad."""
        pad, self._pad, self.problem = self._pad, None, ""
        if pad is not None:
            pad.close()

    def reset(self, seed: int) -> None:
        """Count time from now; nothing else depends on the episode."""
        del seed
        self._connected()
        self._pushes.begin()

    def read(self) -> np.ndarray:
        """Give the steps of this tick; zero without the dead-man button, and while the gamepad is gone."""
        state = self._connected().state()
        self.problem = UNPLUGGED if state is None else ""
        return self._pushes.steps(self._pushed(state) if state else {})

    def _pushed(self, state: PadState) -> dict[str, float]:
        config = self._config
        if config.dead_man != "none" and config.dead_man not in state.buttons:
            return {}
        axes = {name: _beyond(value, config.dead_zone) for name, value in state.axes.items()}
        axes["dpx"] = float("dpright" in state.buttons) - float("dpleft" in state.buttons)
        axes["dpy"] = float("dpup" in state.buttons) - float("dpdown" in state.buttons)
        pushed = {name: sign * axes.get(axis, 0.0) for name, (axis, sign) in self._axes.items()}
        if config.gripper:
            pushed[config.gripper] = axes.get("lefttrigger", 0.0) - axes.get("righttrigger", 0.0)
        return pushed

    def _connected(self) -> Pad:
        if self._pad is None:
            raise DeviceError("The gamepad is not connected. Call connect() first.")
        return self._pad


def _axes(config: Config) -> dict[str, tuple[str, int]]:
    if config.mode == "hand":
        return HAND_AXES
    turned = [joint for joint in config.joints if joint != config.gripper]
    return dict(zip(turned, JOINT_AXES, strict=False))


def _beyond(value: float, dead_zone: float) -> float:
    """Give how far `value` is beyond the dead zone, so that motion begins gently there and is full at the end."""
    return float(np.sign(value)) * max(abs(value) - dead_zone, 0.0) / (1 - dead_zone)
