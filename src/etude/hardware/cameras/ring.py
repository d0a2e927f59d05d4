"""Pictures of one camera in memory that several processes see: one writes, any number read, nobody waits.

A ring has a few slots, written in turn. Each carries the number of its picture, which is taken away while the slot is
written; a reader that finds another number after copying than before has copied a torn picture, and takes a newer one.
"""

from __future__ import annotations

import json
import mmap
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from etude.core import codec
from etude.core.errors import CameraError
from etude.core.spec import Spec, Specs
from etude.hardware.cameras import place
from etude.hardware.cameras.source import Pictures
from etude.hardware.health import CameraHealth

_MAGIC = b"etude ring 1"
_TITLE = 2048
"""Bytes for the magic, and the layout in JSON."""
_STATE = 2048
"""Bytes for what changes: the newest picture's number, and the camera's health."""
_HEAD = 64
"""Bytes before a slot's pictures: their number, and when they were taken."""
_NUM_SLOTS = 4
_PROBLEM = 1024
_HEALTH = np.dtype(
    [("version", "<u8"), ("fps", "<f8"), ("reconnects", "<u8"), ("size", "<u8"), ("words", "u1", _PROBLEM)]
)
_HEALTH_TRIES = 20
_fence_lock = threading.Lock()


@dataclass(frozen=True)
class Shot:
    """Pictures of one instant."""

    number: int
    taken_at: float
    """On `time.perf_counter`, which all processes of a computer share [s]."""
    pictures: Pictures


class _Slots:
    """The memory of a ring, seen as arrays."""

    def __init__(self, memory: mmap.mmap, specs: Specs, num_slots: int) -> None:
        self.specs = specs
        self.newest = np.frombuffer(memory, "<u8", 1, _TITLE)
        self.health = np.frombuffer(memory, _HEALTH, 1, _TITLE + 64)
        size, start = _slot_size(specs), _TITLE + _STATE
        self.numbers = [np.frombuffer(memory, "<u8", 1, start + slot * size) for slot in range(num_slots)]
        self.times = [np.frombuffer(memory, "<f8", 1, start + slot * size + 8) for slot in range(num_slots)]
        self.pictures = [_pictures(memory, start + slot * size + _HEAD, specs) for slot in range(num_slots)]


class RingWriter:
    """The end of the process that has the camera."""

    def __init__(self, path: Path, specs: Specs) -> None:
        """Make the ring; it is gone when the writer is closed, and known as left behind when its process dies."""
        self._path = path
        title = json.dumps({"specs": codec.encode(specs), "num_slots": _NUM_SLOTS}).encode()
        if len(_MAGIC) + len(title) > _TITLE:
            raise CameraError(path.stem, "its description is too long to be shared.")
        with place.changing():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.unlink(missing_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            place.hold(self._handle)
            size = _TITLE + _STATE + _NUM_SLOTS * _slot_size(specs)
            memory = mmap.mmap(self._handle, _reserve(self._handle, size, path))
            memory[: len(_MAGIC) + len(title)] = _MAGIC + title
        self._slots = _Slots(memory, specs, _NUM_SLOTS)

    def write(self, pictures: Pictures, taken_at: float) -> None:
        """Add the pictures of the next instant."""
        slots, number = self._slots, int(self._slots.newest[0]) + 1
        slot = number % _NUM_SLOTS
        slots.numbers[slot][0] = 0
        _fence()
        for suffix, target in slots.pictures[slot].items():
            np.copyto(target, pictures[suffix])
        slots.times[slot][0] = taken_at
        _fence()
        slots.numbers[slot][0] = number
        _fence()
        slots.newest[0] = number

    def tell(self, health: CameraHealth) -> None:
        """Say how the camera is doing; its age is known from the pictures."""
        words = health.problem.encode()[:_PROBLEM]
        state = self._slots.health
        state["version"] += 1  # odd while it is written
        _fence()
        state["fps"], state["reconnects"], state["size"] = health.fps, health.reconnects, len(words)
        state["words"][0, : len(words)] = np.frombuffer(words, np.uint8)
        _fence()
        state["version"] += 1

    def close(self) -> None:
        """Remove the ring, unless it is another's by now; readers keep the pictures that they copied."""
        handle, self._handle = self._handle, -1
        if handle < 0:
            return
        with suppress(OSError), place.changing():
            if os.path.samestat(os.fstat(handle), self._path.stat()):
                self._path.unlink()
                self._path.parent.rmdir()  # which the last ring of an owner achieves
        os.close(handle)


class RingReader:
    """An end that looks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._health = CameraHealth()
        try:
            with place.changing():  # a ring that is just being made is waited for
                self._handle = os.open(path, os.O_RDONLY)
        except OSError as error:
            known = (
                "; ".join(f"{owner}: {', '.join(cameras)}" for owner, cameras in place.shared_now().items()) or "none"
            )
            raise CameraError(path.stem, f"'{path.parent.name}' does not share it. Shared now: {known}.") from error
        try:
            memory = mmap.mmap(self._handle, 0, access=mmap.ACCESS_READ)
            layout = _layout(memory)
        except (OSError, ValueError) as error:
            os.close(self._handle)
            raise CameraError(path.stem, f"{path} is no ring of pictures.") from error
        self.specs: Specs = {key: codec.decode(Spec, spec) for key, spec in layout["specs"].items()}
        self._slots = _Slots(memory, self.specs, layout["num_slots"])

    def number(self) -> int:
        """Give the number of the newest picture; 0 before the first."""
        return int(self._slots.newest[0])

    def newest(self) -> Shot | None:
        """Copy the newest pictures; nothing before the first."""
        while number := self.number():
            seen = self.peek(number)
            if seen is None:
                continue
            copied = {suffix: picture.copy() for suffix, picture in seen.pictures.items()}
            if self.is_whole(seen):
                return Shot(number, seen.taken_at, copied)
        return None

    def peek(self, number: int) -> Shot | None:
        """Give the pictures of `number` without copying; once overwritten they are others, which `is_whole` tells."""
        slot = number % len(self._slots.numbers)
        if self._slots.numbers[slot][0] != number:
            return None
        _fence()
        return Shot(number, float(self._slots.times[slot][0]), self._slots.pictures[slot])

    def is_whole(self, shot: Shot) -> bool:
        """Whether the pictures of a `peek` were not overwritten until now."""
        _fence()
        return bool(self._slots.numbers[shot.number % len(self._slots.numbers)][0] == shot.number)

    def health(self) -> CameraHealth:
        """Give what the owner last said of the camera; what was said before, should it die or sleep while it speaks."""
        for _ in range(_HEALTH_TRIES):
            state = self._slots.health.copy()[0]
            _fence()
            if state["version"] % 2 == 0 and state["version"] == self._slots.health["version"][0]:
                words = state["words"][: int(state["size"])].tobytes().decode(errors="ignore")
                self._health = CameraHealth(fps=float(state["fps"]), reconnects=int(state["reconnects"]), problem=words)
                break
        return self._health

    def is_current(self) -> bool:
        """Whether the owner lives and writes here; another one may have taken its place."""
        try:
            is_same = os.path.samestat(os.fstat(self._handle), self._path.stat())
        except OSError:
            return False
        return is_same and place.is_held(self._handle)

    def close(self) -> None:
        """Let go of the ring."""
        os.close(self._handle)


def _reserve(handle: int, size: int, path: Path) -> int:
    """Make the file `size` bytes long, now: memory that is missing later would end the process without a word."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
        else:
            os.truncate(handle, size)
    except OSError as error:
        os.close(handle)
        path.unlink()
        raise CameraError(
            path.stem, f"there is no room for its pictures in {path.parent}: {error.strerror}."
        ) from error
    return size


def _slot_size(specs: Specs) -> int:
    return _HEAD + sum(_padded(spec) for spec in specs.values())


def _padded(spec: Spec) -> int:
    """Give the bytes of a picture, rounded up so that the next one begins on a cache line."""
    return -(-_num_bytes(spec) // 64) * 64


def _num_bytes(spec: Spec) -> int:
    return int(np.prod(spec.shape)) * np.dtype(spec.dtype).itemsize


def _pictures(memory: mmap.mmap, start: int, specs: Specs) -> Mapping[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for suffix, spec in specs.items():
        found[suffix] = np.frombuffer(memory, spec.dtype, int(np.prod(spec.shape)), start).reshape(spec.shape)
        start += _padded(spec)
    return found


def _layout(memory: mmap.mmap) -> dict[str, Any]:
    title = memory[:_TITLE].rstrip(b"\0")
    if not title.startswith(_MAGIC):
        raise ValueError
    return json.loads(title.removeprefix(_MAGIC))


def _fence() -> None:
    """Keep a processor that reorders memory, as ARM does, from moving what comes before beyond what comes after.

    One lock's release comes before the next one's acquisition, and neither side crosses both.
    """
    for _ in range(2):
        _fence_lock.acquire()
        _fence_lock.release()
