"""Simulated arms in real time, as other programs meet real ones: serial ports and network cameras."""

from __future__ import annotations

import random
import select
import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etude.sim.faults import KINDS
from etude.sim.leader import SimLeader
from etude.sim.mjpeg import CameraProcess, Shape
from etude.sim.people import Sweep, person_at
from etude.sim.port import Port
from etude.sim.scene import TIMESTEP_S
from etude.sim.sim_arm import SimArm
from etude.sim.world import World, shared_world

_LONGEST_CATCH_UP_S = 0.1
"""After a longer stall, such as a suspended computer, the time that was missed is not simulated."""
_CAREFULLY = 0.7
"""Share of its ranges that an arm on a table can be moved through without hitting it."""
_ADMIRE_S, _PATIENCE_S = 3.0, 25.0
"""How long a task that is done stays as it is, and how long a table that nobody gets done."""


@dataclass(frozen=True, kw_only=True)
class Socket:
    """An arm to serve, and the name of its port."""

    link: Path
    body: str = "so101"
    is_leader: bool = False
    name: str = ""
    """Tells arms of one body apart."""
    has_hands: bool = False
    """Whether somebody moves it through its ranges while it is limp, as for a calibration."""
    driver: str = ""
    """The plugin that drives it, for whoever is told how to use it."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Faults that strike at random times."""

    kinds: Sequence[str] = KINDS
    every_s: float = 5.0
    """Mean time between two of them [s]."""


def serve(
    sockets: Sequence[Socket],
    shape: Shape,
    *,
    seed: int = 0,
    trouble: Trouble | None = None,
    on_ready: Callable[[dict[str, str]], None] = lambda _: None,
    on_trouble: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve arms on pseudo-terminals and the cameras over HTTP, until SIGINT or SIGTERM.

    All arms stand in one world. `on_ready` is told the cameras' addresses by view once everything answers, and
    `on_trouble` which fault has begun.
    """
    world = shared_world()
    arms = [_join(world, socket) for socket in sockets]
    world.reset(seed)
    with ExitStack() as opened:
        ports: list[Port] = []
        for socket, arm in zip(sockets, arms, strict=True):
            ports.append(Port(socket.link, arm, world.clock.now))
            opened.callback(ports[-1].close)
        cameras = CameraProcess(world.model, shape)
        opened.callback(cameras.close)
        stopped = opened.enter_context(_stop_signals())
        on_ready(cameras.urls)
        bystanders: list[Callable[[float], None]] = []
        if trouble:
            bystanders.append(_Strikes(ports, trouble, seed, on_trouble).see)
        if leaders := [arm for arm in arms if isinstance(arm, SimLeader)]:
            bystanders.append(_Host(world, leaders, seed).see)
        _live(world, ports, cameras.show, stopped, bystanders)


class _Strikes:
    """Somebody who breaks things now and then."""

    def __init__(self, ports: Sequence[Port], trouble: Trouble, seed: int, tell: Callable[[str], None]) -> None:
        self._ports, self._trouble, self._tell = ports, trouble, tell
        self._rng = random.Random(seed)  # noqa: S311  no secret
        self._next_s = self._rng.expovariate(1 / trouble.every_s)

    def see(self, now_s: float) -> None:
        """Begin the next fault when its time has come."""
        if now_s >= self._next_s:
            self._next_s = now_s + self._rng.expovariate(1 / self._trouble.every_s)
            port = self._rng.choice(self._ports)
            self._tell(f"{port.link}: {port.arm.wire.faults.strike(self._trouble.kinds)}")


class _Host:
    """Somebody who sets the table again for the people at the leaders, when they are done or have given up."""

    def __init__(self, world: World, leaders: Sequence[SimLeader], seed: int) -> None:
        self._world, self._leaders = world, leaders
        self._rng = np.random.default_rng(seed)
        self._begun_s = world.clock.now()
        self._done_s: float | None = None

    def see(self, now_s: float) -> None:
        """Set the table when its time has come."""
        if not self._world.success():
            self._done_s = None
        elif self._done_s is None:
            self._done_s = now_s
        is_over = self._done_s is not None and now_s - self._done_s > _ADMIRE_S
        if is_over or now_s - self._begun_s > _PATIENCE_S:
            self._begun_s, self._done_s = now_s, None
            self._world.task.reset(self._world, self._rng)
            for leader in self._leaders:
                if leader.person:
                    leader.person.begin(int(self._rng.integers(1 << 31)))


def _join(world: World, socket: Socket) -> SimArm | SimLeader:
    if not socket.is_leader:
        arm = world.arms.follower(socket.body, socket.name)
        arm.hands = Sweep(arm.seat.body, _CAREFULLY) if socket.has_hands else None
        return arm
    leader = world.arms.leader(socket.body, socket.name)
    leader.person = Sweep(leader.make.body) if socket.has_hands else person_at(leader, socket.name)
    return leader


def _live(
    world: World,
    ports: Sequence[Port],
    show: Callable[[np.ndarray], None],
    stopped: Callable[[], bool],
    bystanders: Sequence[Callable[[float], None]],
) -> None:
    """Let `world` live in real time and answer what comes over the ports, until `stopped`."""
    behind = time.perf_counter() - world.clock.now()
    while not stopped():
        ready, _, _ = select.select([port for port in ports if port.fileno() >= 0], [], [], TIMESTEP_S)
        now = time.perf_counter() - behind
        stall = now - world.clock.now() - _LONGEST_CATCH_UP_S
        if stall > 0:
            behind, now = behind + stall, now - stall
        world.clock.sleep_until(now)
        for port in ready:
            port.listen()
        for port in ports:
            port.answer()
        for bystander in bystanders:
            bystander(now)
        show(world.data.qpos)


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
