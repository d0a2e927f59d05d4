"""`etude sim`: simulated arms that any program can open like ones on a cable."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from etude.cli.slots import Slot
from etude.core.errors import UserError
from etude.hardware import robots, teleoperators
from etude.hardware.arm_kind import ArmKind
from etude.sim.tasks import tasks

if TYPE_CHECKING:
    from etude.sim.server import Socket


@dataclass(frozen=True, kw_only=True)
class Sim:
    """Simulate arms in real time behind pseudo-terminals, their cameras as MJPEG on this machine, until stopped."""

    link: Path
    """Name to give to the port: a link that other programs open like /dev/ttyACM0; of two arms, `-left` and `-right`
    are added."""
    robot: Annotated[Any, Slot(robots, "so101_follower")]
    """The arm, or two of them: so101_follower, so100_follower, koch_follower, bimanual."""
    leader: bool = False
    """Put a leader beside each arm, at a port called like the arm's with `-leader` added; somebody moves it: through
    the task where it is an SO-101, else to and fro."""
    hands: bool = False
    """Let somebody move every limp arm through its ranges, to try a calibration with."""
    faults: str = ""
    """What goes wrong at random times, with commas between: noise, silence, wrong_checksum, slow, overload, brown_out,
    unplug; or `all`."""
    fault_every_s: float = 5.0
    """Mean time between two faults [s]."""
    width: int = 96
    """Width of the cameras' pictures [pixels]; 96 x 96 is what --robot.port=sim records."""
    height: int = 96
    """Height of the cameras' pictures [pixels]."""
    camera_fps: int = 30
    """Pictures per second [1/s]."""
    seed: int = 0
    """Decides the scene, and when faults come."""
    task: Annotated[Any, Slot(tasks, "pick_place")]
    """What is on the table of the arms."""


COMMAND = Sim


def run(command: Sim) -> int:
    """Serve the arms; print the ports, the cameras' addresses, and the words that use them once they answer."""
    from etude.sim.mjpeg import Shape
    from etude.sim.server import Trouble, serve
    from etude.sim.stage import staged

    sockets = _sockets(command)
    kinds = _kinds_of_fault(command)
    with staged(command.task):
        serve(
            sockets,
            Shape(width=command.width, height=command.height, fps=command.camera_fps),
            seed=command.seed,
            trouble=Trouble(kinds=kinds, every_s=command.fault_every_s) if kinds else None,
            on_ready=lambda urls: _announce(command, sockets, urls),
            on_trouble=lambda told: print(f"fault: {told}", flush=True),
        )
    return 0


def _kinds_of_fault(command: Sim) -> tuple[str, ...]:
    from etude.sim.faults import KINDS

    if command.fault_every_s <= 0:
        raise UserError(f"--fault_every_s should be positive, got {command.fault_every_s}.")
    kinds = KINDS if command.faults == "all" else tuple(word.strip() for word in command.faults.split(",") if word)
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise UserError(f"--faults does not know {', '.join(unknown)}. There are {', '.join(KINDS)}, and all.")
    return kinds


def _sockets(command: Sim) -> list[Socket]:
    """List the arms that the robot is made of, and their leaders."""
    from etude.sim.server import Socket

    robot = command.robot
    sides = dict(zip(("left", "right"), robot.sides(), strict=True)) if hasattr(robot, "sides") else {"": robot}
    sockets: list[Socket] = []
    for side, one in sides.items():
        link = command.link.with_name(f"{command.link.name}-{side}") if side else command.link
        name = robots.name_of(one)
        body = _body(robots.packages()[name], name)
        sockets.append(Socket(link=link, body=body, name=side, driver=name, has_hands=command.hands))
        if command.leader:
            leader = _leader_of(name)
            body = _body(teleoperators.packages()[leader], leader)
            beside = Socket(
                link=_leading(link), body=body, is_leader=True, name=side, driver=leader, has_hands=command.hands
            )
            sockets.append(beside)
    return sockets


def _leader_of(robot: str) -> str:
    leader = robot.replace("_follower", "_leader")
    if leader == robot or leader not in teleoperators.packages():
        raise UserError(f"There is no leader for --robot.type={robot}. Leave --leader out.")
    return leader


def _leading(link: Path) -> Path:
    return link.with_name(f"{link.name}-leader")


def _body(package: str, name: str) -> str:
    """Find the body of an arm plugin; raise `UserError` where it has none that is simulated."""
    try:
        kind = importlib.import_module(f"{package}.kind")
    except ModuleNotFoundError:
        kind = None
    bodies = [value.body for value in vars(kind).values() if isinstance(value, ArmKind)] if kind else []
    if not any(bodies):
        known = [name for name in robots.names() if name.endswith("_follower")]
        raise UserError(f"--robot.type={name} cannot be simulated; {', '.join(known)} and bimanual can.")
    return bodies[-1]


def _announce(command: Sim, sockets: list[Socket], urls: dict[str, str]) -> None:
    for socket in sockets:
        print(f"{'leader' if socket.is_leader else 'port'}: {socket.link}")
    for name, url in urls.items():
        print(f"camera {name}: {url}")
    followers = [socket for socket in sockets if not socket.is_leader]
    robot = _words("robot", followers)
    print(f"use it with: {_words('robot', followers, urls)}")
    if command.leader:
        teleop = _words("teleop", [socket for socket in sockets if socket.is_leader])
        print(f"teleoperate with: etude teleoperate {robot} {teleop}")
    print("Ctrl-C stops.", flush=True)


def _words(slot: str, sockets: list[Socket], urls: dict[str, str] | None = None) -> str:
    """Give what to type to use these arms, with these cameras if any."""
    if len(sockets) == 1:
        words = f"--{slot}.type={sockets[0].driver} --{slot}.port={sockets[0].link}"
        return f'{words} --{slot}.cameras="{_cameras(urls)}"' if urls else words
    words = f"--{slot}.type=bimanual"
    for one in sockets:
        here = {name: url for name, url in (urls or {}).items() if name.startswith("right_") == (one.name == "right")}
        seen = f", cameras: {_cameras(here)}" if here else ""
        words += f' --{slot}.{one.name}_arm_config="{{type: {one.driver}, port: {one.link}{seen}}}"'
    return words


def _cameras(urls: dict[str, str]) -> str:
    told = (f"{name.removeprefix('right_')}: {{type: mjpeg, url: '{url}'}}" for name, url in urls.items())
    return f"{{{', '.join(told)}}}"
