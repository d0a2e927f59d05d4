"""The simulated arm in real time, as other programs meet a real one: a serial port and two network cameras."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from etude.core.errors import DeviceError, UserError
from etude.sim.mjpeg import CameraProcess, Shape
from etude.sim.scene import TIMESTEP_S
from etude.sim.world import World

_LONGEST_CATCH_UP_S = 0.1
"""After a longer stall, such as a suspended computer, the time that was missed is not simulated."""


def serve_arm(
    link: Path,
    *,
    width: int = 640,
    height: int = 480,
    fps: float = 30.0,
    seed: int = 0,
    on_ready: Callable[[str, dict[str, str]], None] = lambda *_: None,
) -> None:
    """Serve an arm on a pseudo-terminal called `link` and its cameras over HTTP, until SIGINT or SIGTERM.

    `on_ready` is told the port and the cameras' addresses by view, once both answer.
    """
    world = World()
    world.reset(seed)
    with _pseudo_terminal(link) as wire:
        cameras = CameraProcess(world.model, Shape(width=width, height=height, fps=fps))
        with closing(cameras), _stop_signals() as stopped:
            on_ready(str(link), cameras.urls)
            serve_bus(world, wire, cameras.show, stopped)


def serve_bus(world: World, wire: int, show: Callable[[np.ndarray], None], stopped: Callable[[], bool]) -> None:
    """Let `world` live in real time and answer what comes over the file descriptor `wire`, until `stopped`."""
    behind = time.perf_counter() - world.clock.now()
    while not stopped():
        ready, _, _ = select.select([wire], [], [], TIMESTEP_S)
        now = time.perf_counter() - behind
        stall = now - world.clock.now() - _LONGEST_CATCH_UP_S
        if stall > 0:
            behind, now = behind + stall, now - stall
        world.clock.sleep_until(now)
        if ready:
            _answer(world, wire)
        show(world.data.qpos)


def _answer(world: World, wire: int) -> None:
    reply = world.arm.exchange(os.read(wire, 4096))
    with suppress(BlockingIOError):  # nobody reads; on a cable the answer would be lost too
        os.write(wire, reply)


@contextmanager
def _pseudo_terminal(link: Path) -> Generator[int]:
    """Open a raw pseudo-terminal that others find as `link`; give our end's file descriptor."""
    try:
        import pty  # noqa: PLC0415  absent on Windows
        import tty  # noqa: PLC0415
    except ImportError as error:
        raise UserError("etude sim needs Linux or macOS. --robot.port=sim simulates the arm on any system.") from error
    ours, theirs = pty.openpty()
    try:
        tty.setraw(theirs)  # before anyone opens it, or the first bytes would be echoed
        os.set_blocking(ours, False)
        with _linked(link, os.ttyname(theirs)):
            yield ours  # `theirs` stays open too: otherwise the port would hang up with its first user
    finally:
        os.close(theirs)
        os.close(ours)


@contextmanager
def _linked(link: Path, target: str) -> Generator[None]:
    """Let `link` point to `target` for the length of a block; a link of an earlier run is replaced, a file is not."""
    if link.exists() and not link.is_symlink():
        raise UserError(f"{link} exists and is not a link. Choose another name for the port, or remove it.")
    draft = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        draft.symlink_to(target)
        draft.replace(link)
    except OSError as error:
        raise DeviceError(f"The port cannot be called {link}: {error.strerror}. Choose another name.") from error
    try:
        yield
    finally:
        if link.is_symlink() and str(link.readlink()) == target:
            link.unlink()


@contextmanager
def _stop_signals() -> Generator[Callable[[], bool]]:
    """Collect SIGINT and SIGTERM for the length of a block; give a function that tells whether one came."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield lambda: bool(received)
    finally:
        for number, action in before.items():
            signal.signal(number, action)
