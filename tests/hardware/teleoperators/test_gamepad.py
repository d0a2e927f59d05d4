"""The gamepad on SDL's own virtual joystick, which pygame sees as a real one."""

import ctypes
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from etude.core.clock import SimClock
from etude.core.errors import ConfigError, DeviceError
from etude.hardware.teleoperators.gamepad.config import Config
from etude.hardware.teleoperators.gamepad.pad import AXES, BUTTONS
from etude.hardware.teleoperators.gamepad.teleoperator import build

pygame = pytest.importorskip("pygame")
TICK_S = 1 / 30
GAME_CONTROLLER = 1
FULL = 32767


class VirtualPad:
    """A gamepad plugged into SDL by a program."""

    def __init__(self):
        library = next((Path(pygame.__file__).parents[1] / "pygame.libs").glob("libSDL2-2*"), None)
        if library is None:
            pytest.skip("this pygame uses an SDL from elsewhere")
        self._sdl = ctypes.CDLL(str(library))
        self._sdl.SDL_JoystickOpen.restype = ctypes.c_void_p
        self.plug_in()

    def plug_in(self):
        self._place = self._sdl.SDL_JoystickAttachVirtual(GAME_CONTROLLER, len(AXES), len(BUTTONS) + 1, 0)
        assert self._place >= 0
        self._handle = ctypes.c_void_p(self._sdl.SDL_JoystickOpen(self._place))
        self.set(lefttrigger=-1, righttrigger=-1)  # SDL counts triggers from here

    def pull_out(self):
        if self._handle is not None:
            self._sdl.SDL_JoystickClose(self._handle)
            self._sdl.SDL_JoystickDetachVirtual(self._place)
        self._handle = None

    def set(self, **axes):
        for name, value in axes.items():
            self._sdl.SDL_JoystickSetVirtualAxis(self._handle, AXES.index(name), ctypes.c_int16(round(FULL * value)))

    def hold(self, **buttons):
        for name, held in buttons.items():
            self._sdl.SDL_JoystickSetVirtualButton(self._handle, BUTTONS.index(name), ctypes.c_uint8(held))


@pytest.fixture
def sdl(monkeypatch):
    """SDL without a window, started so that a virtual joystick can be plugged in.

    It stays started: SDL frees gamepads that are still open when it is stopped, and Python frees them again.
    """
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.joystick.init()


@pytest.fixture
def virtual(sdl):
    pad = VirtualPad()
    yield pad
    pad.pull_out()


@pytest.fixture
def take_seat(sdl):
    """Sit down at a gamepad, and leave it in good order."""
    taken = []

    def sit(**config):
        taken.append(Seat(**config))
        taken[-1].gamepad.connect()
        return taken[-1]

    yield sit
    for seat in taken:
        seat.gamepad.disconnect()


class Seat:
    """A gamepad that drives, and its time."""

    def __init__(self, **config):
        self.clock = SimClock()
        self.gamepad = build(Config(**config), clock=self.clock)

    def tick(self):
        """What moves in one tick, as shares of full speed."""
        self.clock.sleep_until(self.clock.now() + TICK_S)
        speeds = self.gamepad._config.speeds()
        steps = dict(zip(speeds, self.gamepad.read(), strict=True))
        return {name: pytest.approx(step / speeds[name] / TICK_S, abs=1e-3) for name, step in steps.items() if step}


def test_nothing_moves_without_the_dead_man_button(virtual, take_seat):
    seat = take_seat()
    virtual.set(leftx=1, lefty=1)
    assert seat.tick() == {}
    virtual.hold(rightshoulder=1)
    assert set(seat.tick()) == {"hand.x", "hand.y"}
    virtual.hold(rightshoulder=0)
    assert seat.tick() == {}


@pytest.mark.parametrize(
    ("pushed", "moved"),
    [({"lefty": -1}, {"hand.x": 1}), ({"leftx": 1}, {"hand.y": -1}), ({"righty": -1}, {"hand.z": 1}),
     ({"rightx": 1}, {"hand.roll": 1}), ({"righttrigger": 1}, {"gripper": -1}), ({"lefttrigger": 1}, {"gripper": 1})],
)  # fmt: skip
def test_each_stick_moves_the_hand_its_way(virtual, take_seat, pushed, moved):
    seat = take_seat()
    virtual.hold(rightshoulder=1)
    virtual.set(**pushed)
    assert seat.tick() == moved


def test_the_cross_lifts_and_lowers_the_finger_tips(virtual, take_seat):
    seat = take_seat()
    virtual.hold(rightshoulder=1, dpup=1)
    assert seat.tick() == {"hand.pitch": -1}
    virtual.hold(dpup=0, dpdown=1)
    assert seat.tick() == {"hand.pitch": 1}


def test_a_stick_counts_from_the_end_of_its_dead_zone(virtual, take_seat):
    seat = take_seat(dead_zone=0.2, dead_man="none")
    virtual.set(lefty=-0.19)
    assert seat.tick() == {}
    virtual.set(lefty=-0.6)
    assert seat.tick() == {"hand.x": 0.5}


def test_joints_are_turned_in_their_order(virtual, take_seat):
    seat = take_seat(mode="joints")
    virtual.hold(rightshoulder=1, dpup=1)
    virtual.set(leftx=1, lefty=-1, righty=0.5, rightx=-1)
    moved = seat.tick()
    assert {name: np.sign(share.expected) for name, share in moved.items()} == {
        "shoulder_pan": 1, "shoulder_lift": 1, "elbow_flex": -1, "wrist_flex": -1, "wrist_roll": -1,
    }  # fmt: skip


def test_pulled_out_it_holds_still_and_says_so_until_it_is_back(virtual, take_seat):
    seat = take_seat(dead_man="none")
    virtual.set(lefty=-1)
    assert seat.tick()
    virtual.pull_out()
    assert seat.tick() == {}
    assert "gone" in seat.gamepad.problem
    virtual.plug_in()
    virtual.set(lefty=-1)
    assert seat.tick() == {"hand.x": 1}
    assert seat.gamepad.problem == ""


def test_it_tells_what_to_do(virtual, take_seat):
    assert take_seat().gamepad.invitation.startswith("Hold the button rightshoulder to move the arm. x: lefty")


def test_no_gamepad_is_told_in_a_sentence(take_seat):
    with pytest.raises(DeviceError, match="No gamepad is there"):
        take_seat()


def test_a_gamepad_of_another_name_is_told_of(virtual, take_seat):
    with pytest.raises(DeviceError, match=r"contains 'Xbox'.*there are: Virtual"):
        take_seat(name="Xbox")
    assert take_seat(name="virtual").gamepad.problem == ""


@pytest.mark.parametrize(("config", "problem"), [({"dead_zone": 1}, "dead_zone"), ({"joints": tuple("abcdefg"),
     "mode": "joints"}, "up to 5 joints")])  # fmt: skip
def test_a_config_that_makes_no_sense_is_refused(config, problem):
    with pytest.raises(ConfigError, match=problem):
        Config(**config)


def test_a_program_with_a_gamepad_can_still_be_ended():
    script = """
import os, signal, time
from etude.core.errors import DeviceError
from etude.hardware.teleoperators.gamepad.pad import SdlPad
try:
    SdlPad("none")
except DeviceError:  # there is none; SDL was started all the same
    os.kill(os.getpid(), signal.SIGTERM)
time.sleep(20)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == -signal.SIGTERM
