"""Where owners of cameras lay out their pictures: files in memory, one folder per owner, for this user's eyes only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from etude.core.errors import DeviceError

try:
    import fcntl
except ImportError:  # Windows, which does not let a file be removed that somebody holds; that does as well
    fcntl = None

RING = ".ring"
_MEMORY = Path("/dev/shm")  # noqa: S108  the folder below is made for one user only


def root() -> Path:
    """Give the folder under which every owner of this user has its own."""
    home = _MEMORY if _MEMORY.is_dir() else Path(tempfile.gettempdir())
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = home / f"etude-cameras-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and (folder.is_symlink() or folder.stat().st_uid != user):
        raise DeviceError(f"{folder} belongs to somebody else, so pictures are not put there. Remove it.")
    return folder


def ring_path(owner: str, camera: str) -> Path:
    """Give where `owner` puts the pictures of `camera`."""
    return root() / owner / f"{camera}{RING}"


def shared_now() -> dict[str, list[str]]:
    """List the cameras that are shared, by owner."""
    found: dict[str, list[str]] = {}
    for path in sorted(root().glob(f"*/*{RING}")):
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        if is_held(handle):
            found.setdefault(path.parent.name, []).append(path.stem)
        os.close(handle)
    return found


def hold(handle: int) -> None:
    """Mark an open file as in use until this process ends or closes it."""
    if fcntl:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(handle: int) -> bool:
    """Whether a process that marked the file as in use still lives."""
    if not fcntl:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False


def sweep() -> None:
    """Remove what owners left behind that were killed."""
    with changing():
        for path in root().glob(f"*/*{RING}"):
            _remove_if_free(path)
        for folder in root().iterdir():
            with suppress(OSError):  # it is no folder, or not empty
                folder.rmdir()


@contextmanager
def changing() -> Generator[None]:
    """Let nobody else add or remove rings for the length of a block."""
    handle = os.open(root() / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remove_if_free(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return
    try:
        if fcntl and is_held(handle):
            return
    finally:
        os.close(handle)
    with suppress(OSError):  # somebody else was faster, or on Windows holds it
        path.unlink()
