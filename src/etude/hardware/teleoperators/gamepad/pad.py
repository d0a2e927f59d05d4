"""What a gamepad says, whoever made it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from etude.core.errors import DeviceError, MissingExtra

AXES = ("leftx", "lefty", "rightx", "righty", "lefttrigger", "righttrigger")
BUTTONS = (
    "a", "b", "x", "y", "back", "guide", "start", "leftstick", "rightstick", "leftshoulder", "rightshoulder",
    "dpup", "dpdown", "dpleft", "dpright",
)  # fmt: skip
"""In SDL's order and by its names."""
_FULL = 32767
_SETTINGS = {
    "SDL_VIDEODRIVER": "dummy",
    "SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS": "1",
    "SDL_NO_SIGNAL_HANDLERS": "1",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}


@dataclass(frozen=True, kw_only=True)
class PadState:
    """What is pushed right now."""

    axes: Mapping[str, float] = field(default_factory=dict)
    """Sticks from -1 to 1, to the right and down; triggers from 0 to 1."""
    buttons: frozenset[str] = frozenset()
    """Those held."""


class Pad(Protocol):
    """A gamepad that may be pulled out and put in again."""

    def state(self) -> PadState | None:
        """Tell what is pushed, or none while the gamepad is gone."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class SdlPad:
    """A gamepad that SDL knows: its table of makes says which axis is which."""

    def __init__(self, name: str = "") -> None:
        """Open the first gamepad whose name contains `name`; raise `DeviceError` when there is none."""
        self._name, self._sdl = name, _start_sdl()
        self._pad: Any = None
        self._open()
        if self._pad is None:
            found = self._names()
            self.close()
            raise DeviceError(_nothing_found(name, found))

    def state(self) -> PadState | None:
        """Tell what is pushed, or none while the gamepad is gone; one that is put in again is taken up."""
        self._sdl.event.pump()
        if self._pad is None or not self._pad.attached():
            self._open()
        if self._pad is None:
            return None
        axes = {name: max(self._pad.get_axis(place) / _FULL, -1.0) for place, name in enumerate(AXES)}
        held = (name for place, name in enumerate(BUTTONS) if self._pad.get_button(place))
        return PadState(axes=axes, buttons=frozenset(held))

    def close(self) -> None:
        """Let go of it."""
        if self._pad is not None:
            self._pad.quit()
        self._pad = None

    def _open(self) -> None:
        self.close()
        for place, name in self._names().items():
            if self._sdl.controllers.is_controller(place) and self._name.lower() in name.lower():
                self._pad = self._sdl.controllers.Controller(place)
                return

    def _names(self) -> dict[int, str]:
        """Give the names of all joysticks, by place; SDL knows some of them as gamepads."""
        places = range(self._sdl.controllers.get_count())
        return {place: self._sdl.controllers.name_forindex(place) or f"joystick {place}" for place in places}


@dataclass(frozen=True)
class _Sdl:
    event: Any
    controllers: Any


def _start_sdl() -> _Sdl:
    """Start the part of SDL that knows gamepads, without a window, and leave signals to this program."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import pygame  # noqa: PLC0415 - only a gamepad needs it
        from pygame._sdl2 import controller  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra("A gamepad", "gamepad") from error
    try:
        pygame.display.init()
        pygame.joystick.init()
        controller.init()
        pygame.event.pump()
    except pygame.error as error:
        raise DeviceError(f"SDL, which reads gamepads, does not start: {error}") from error
    return _Sdl(pygame.event, controller)


def _nothing_found(name: str, found: Mapping[int, str]) -> str:
    wanted = f"No gamepad whose name contains '{name}'" if name else "No gamepad"
    advice = "Plug it in or pair it, and press a button; on Linux your user must be allowed to read /dev/input/js0."
    if not found:
        return f"{wanted} is there. {advice}"
    return f"{wanted} is there; there are: {', '.join(found.values())}. SDL must know it as a gamepad. {advice}"
