"""`etude sim`: a simulated arm that any program can open like one on a cable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from etude.cli.slots import Slot
from etude.core.errors import UserError
from etude.hardware import robots


@dataclass(frozen=True, kw_only=True)
class Sim:
    """Simulate an arm in real time behind a pseudo-terminal, its cameras as MJPEG on this machine, until stopped."""

    link: Path
    """Name to give to the port: a link that other programs open like /dev/ttyACM0."""
    robot: Annotated[Any, Slot(robots, "so101_follower")]
    """The arm; so101_follower is the one there is."""
    width: int = 96
    """Width of the cameras' pictures [pixels]; 96 x 96 is what --robot.port=sim records."""
    height: int = 96
    """Height of the cameras' pictures [pixels]."""
    camera_fps: int = 30
    """Pictures per second [1/s]."""
    seed: int = 0
    """Decides the scene."""


COMMAND = Sim


def run(command: Sim) -> int:
    """Serve the arm; print the port and the cameras' addresses once they answer."""
    from etude.sim.server import serve_arm

    name = robots.name_of(command.robot)
    if name != "so101_follower":
        raise UserError(f"--robot.type={name} cannot be simulated; so101_follower can.")
    serve_arm(
        command.link,
        width=command.width,
        height=command.height,
        fps=command.camera_fps,
        seed=command.seed,
        on_ready=_announce,
    )
    return 0


def _announce(port: str, urls: dict[str, str]) -> None:
    cameras = ", ".join(f"{name}: {{type: mjpeg, url: '{url}'}}" for name, url in urls.items())
    print(f"port: {port}")
    for name, url in urls.items():
        print(f"camera {name}: {url}")
    print(f'use it with: --robot.port={port} --robot.cameras="{{{cameras}}}"')
    print("Ctrl-C stops.", flush=True)
