"""`etude find-cameras`: which cameras are plugged in, and what each of them sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etude.cli.console import say
from etude.core.errors import DeviceError, EtudeError, UserError

if TYPE_CHECKING:
    from etude.hardware.cameras.found import FoundCamera

_TIMEOUT_S = 5.0
_USUAL = 640, 480
"""The size that nearly every camera gives [pixels]."""


@dataclass(frozen=True, kw_only=True)
class FindCameras:
    """List the cameras that are plugged in, and save a picture that each of them takes.

    What is shown as `index_or_path` means the same camera tomorrow; a name is shorter.
    """

    folder: Path = Path("outputs/cameras")
    """Where the pictures go."""
    look_at: str = ""
    """Take a picture from this one only: a path, number, serial number, or the URL of a network camera."""
    name: str | None = None
    """Remember the camera given by --look_at by this name, for index_or_path."""


COMMAND = FindCameras


def run(command: FindCameras) -> int:
    """Print a line for each camera; exit code 1 when there is none or one gives no picture."""
    from etude.hardware.cameras.found import found_cameras

    if command.name and not command.look_at:
        raise UserError("--name needs --look_at, which tells which camera is meant.")
    cameras = [] if command.look_at else found_cameras()
    looked_at: list[tuple[str, str | int]] = [(f"camera_{one.index}", one.index_or_path) for one in cameras]
    if command.look_at:
        looked_at = [(command.name or "camera", int(command.look_at) if command.look_at.isdigit() else command.look_at)]
    if not looked_at:
        say("No camera is plugged in. Try another USB port and cable.")
        return 1
    told = {f"camera_{one.index}": _about(one) for one in cameras}
    sizes = {f"camera_{one.index}": _size(one) for one in cameras}
    problems = 0
    for label, place in looked_at:
        try:
            picture = f"picture: {_save(command.folder, label, place, sizes.get(label, _USUAL))}"
        except EtudeError as problem:
            picture, problems = f"no picture: {problem}", problems + 1
        print("  ".join(part for part in (f"index_or_path: {place}", told.get(label, ""), picture) if part))
    if command.name and not problems:
        _remember(command.name, looked_at[0][1])
    return 1 if problems else 0


def _about(camera: FoundCamera) -> str:
    sizes = sorted({size for one in camera.formats for size in one.sizes})
    largest = f"up to {sizes[-1][0]}x{sizes[-1][1]}" if sizes else ""
    now = f"(now {camera.path})" if camera.path else ""
    return " ".join(part for part in (camera.name, now, largest) if part)


def _size(camera: FoundCamera) -> tuple[int, int]:
    """Choose the size nearest to the usual one that the camera can give."""
    sizes = {size for one in camera.formats for size in one.sizes}
    return min(sizes, key=lambda size: abs(size[0] - _USUAL[0]) + abs(size[1] - _USUAL[1]), default=_USUAL)


def _save(folder: Path, label: str, place: int | str, size: tuple[int, int]) -> Path:
    from PIL import Image

    from etude.hardware import cameras
    from etude.hardware.device import connected

    is_url = isinstance(place, str) and "://" in place
    if is_url:
        config = cameras.config("mjpeg")(url=place)
    else:
        config = cameras.config("opencv")(index_or_path=place, width=size[0], height=size[1])
    camera = cameras.build(config)
    with connected(camera):
        picture = camera.read_next(_TIMEOUT_S)
    file = folder / f"{label}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(file)
    except OSError as error:
        raise DeviceError(f"{file} cannot be written: {error.strerror}.") from error
    return file


def _remember(name: str, place: int | str) -> None:
    from etude.hardware.cameras.identity import lasting
    from etude.hardware.names import remember_camera

    remember_camera(name, str(lasting(place)))
    say(f"It is called {name} from now on: index_or_path: {name}")
