"""Which camera is meant: USB numbers are dealt anew at every start, so cameras are known by what does not change."""

from __future__ import annotations

import stat
from pathlib import Path

from etude.core.errors import CameraError
from etude.hardware.cameras.found import FoundCamera, found_cameras
from etude.hardware.names import remembered_camera

_ROOT = Path("/")


def is_recorded(identity: int | str) -> bool:
    """Whether it is a video file or a series of pictures such as `%03d.png`, which waits for its reader."""
    if isinstance(identity, int) or identity.startswith("/dev/") or "://" in identity:
        return False
    path = Path(identity)
    is_file = path.suffix != "" or "/" in identity
    return is_file and not (path.exists() and stat.S_ISFIFO(path.stat().st_mode))


def place_of(identity: int | str, root: Path = _ROOT) -> int | str:
    """Turn a USB serial number, remembered name, path or number into what can be opened now; an URL stays as it is."""
    if isinstance(identity, int) or "://" in identity:
        return identity
    if identity.isdigit():
        return int(identity)
    if "/" in identity:
        return str(Path(identity).resolve()) if identity.startswith("/dev/") else identity
    if known := remembered_camera(identity):
        return place_of(known, root)
    return _place_of_word(identity, found_cameras(root))


def lasting(identity: int | str, root: Path = _ROOT) -> int | str:
    """Give what still means the same camera after it was unplugged, where the system tells; otherwise `identity`."""
    path = f"/dev/video{identity}" if isinstance(identity, int) or identity.isdigit() else identity
    if not path.startswith("/dev/video"):
        return identity if "/" in path else remembered_camera(path) or identity
    return next((camera.lasting for camera in found_cameras(root) if camera.path == path and camera.lasting), identity)


def _place_of_word(word: str, found: list[FoundCamera]) -> int | str:
    fitting = [camera for camera in found if word in (camera.serial, camera.name)]
    if len(fitting) == 1:
        return fitting[0].path or fitting[0].index
    if fitting:
        paths = ", ".join(str(camera.index_or_path) for camera in fitting)
        raise CameraError(word, f"{len(fitting)} cameras are called so. Give a path: {paths}.")
    known = ", ".join(camera.serial or camera.name or str(camera.index) for camera in found) or "none"
    raise CameraError(word, f"no camera has that name or serial number. Plugged in: {known}.")
