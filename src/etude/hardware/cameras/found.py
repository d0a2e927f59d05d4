"""Which cameras are plugged in, and by what each is known for good."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from etude.hardware.cameras import v4l2

_NUM_INDICES = 10


@dataclass(frozen=True, kw_only=True)
class FoundCamera:
    """A camera that is plugged in."""

    index: int
    """Its number until the next start or replug."""
    path: str = ""
    """Where it is now, such as /dev/video0; empty where cameras have only numbers."""
    name: str = ""
    """What its maker calls it."""
    serial: str = ""
    """Its USB serial number; cheap cameras have none, or all the same."""
    lasting: str = ""
    """What means this camera for good: a path by its serial number, otherwise by the USB socket it is in."""
    formats: tuple[v4l2.Format, ...] = field(default=())
    """What pictures it can give, where the system tells."""

    @property
    def index_or_path(self) -> int | str:
        """What to write into a config so that it means this camera tomorrow, too."""
        return self.lasting or self.path or self.index


def found_cameras(
    root: Path = Path("/"), formats: Callable[[Path], tuple[v4l2.Format, ...]] | None = None
) -> list[FoundCamera]:
    """List the cameras that are plugged in; those in use by another program are listed, too, but on Linux only."""
    if not sys.platform.startswith("linux"):
        return _by_number()
    nodes = sorted((root / "sys/class/video4linux").glob("video*"), key=lambda node: int(node.name[5:]))
    nodes = [node for node in nodes if _is_first(node)]
    serials = [_serial(node) for node in nodes]
    is_unique = [serial != "" and serials.count(serial) == 1 for serial in serials]
    ask = formats or v4l2.formats
    return [_camera(root, node, ask, is_unique=unique) for node, unique in zip(nodes, is_unique, strict=True)]


def _camera(
    root: Path, node: Path, formats: Callable[[Path], tuple[v4l2.Format, ...]], *, is_unique: bool
) -> FoundCamera:
    device = root / "dev" / node.name
    return FoundCamera(
        index=int(node.name.removeprefix("video")),
        path=f"/dev/{node.name}",
        name=_text(node / "name"),
        serial=_serial(node),
        lasting=(is_unique and _link_to(root, device, "by-id")) or _link_to(root, device, "by-path"),
        formats=formats(device),
    )


def _serial(node: Path) -> str:
    return _text(node / "device" / ".." / "serial")


def _is_first(node: Path) -> bool:
    """Whether pictures come from this node; the further ones of a USB camera give facts about pictures."""
    return _text(node / "index") in ("0", "")


def _link_to(root: Path, device: Path, kind: str) -> str:
    links = sorted((root / "dev/v4l" / kind).glob("*"))
    return next((f"/dev/v4l/{kind}/{link.name}" for link in links if link.resolve() == device.resolve()), "")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _by_number() -> list[FoundCamera]:
    import cv2  # noqa: PLC0415  configs that name a camera come past here, and most need no OpenCV

    from etude.hardware.cameras.capture import capture_at  # noqa: PLC0415

    found: list[FoundCamera] = []
    for index in range(_NUM_INDICES):
        capture = capture_at(index)
        if capture.isOpened():
            size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
            found.append(FoundCamera(index=index, formats=(v4l2.Format(fourcc="", sizes=(size,)),)))
        capture.release()
    return found
