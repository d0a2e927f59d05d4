"""What the protocol of a family of motors must be able to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from etude.hardware.buses.register import Register


class Question(NamedTuple):
    """What is sent, and who should answer with how much."""

    request: bytes
    wanted: tuple[int, ...]
    reply_bytes: int
    """Bytes on the wire per answer."""
    size: int = 0
    """Bytes of data in each answer."""
    frame_bytes: int = 0
    """Bytes on the wire around all answers, where they share a frame."""
    patience_s: float = 0.0
    """How long motors may let others go first [s]."""
    topic: str = ""
    """An answer that comes too late may still serve the next question of the same topic, but no other."""
    is_urgent: bool = False
    """Whether a control loop waits for it."""
    expires: bool = False
    """Whether it must not be asked any more once the line had to be opened again."""


class Reply(NamedTuple):
    """What one motor answered."""

    id: int
    error: int
    """Zero, or what the motor complains of, as its family codes it."""
    data: bytes = b""


class Replies(NamedTuple):
    """What could be made of the bytes that came."""

    found: list[Reply]
    rest: bytes
    """Bytes at the end that may become one more reply."""
    skipped: int
    """Bytes that belong to no correct packet."""


class Dialect(Protocol):
    """Questions as bytes, and answers from bytes."""

    def least_tick_bytes(self, num_motors: int) -> int:
        """Count the bytes, both ways, that it takes at least to read all positions and to write all goals."""
        ...

    def header(self, motor_id: int) -> bytes:
        """Give how every reply of a motor begins."""
        ...

    def ping(self, motor_id: int) -> Question:
        """Ask whether a motor is there."""
        ...

    def roll_call(self, ids: Iterable[int]) -> list[Question]:
        """Ask who is there; where that cannot be asked of all at once, `ids` are asked one by one."""
        ...

    def read(self, motor_id: int, item: Register) -> Question:
        """Ask for a register of one motor."""
        ...

    def write(self, motor_id: int, item: Register, value: int) -> Question:
        """Write a register of one motor."""
        ...

    def sync_read(self, motor_ids: tuple[int, ...], item: Register, attempt: int) -> Question | None:
        """Ask several motors for the same register, for the first time or again; none where that cannot be done."""
        ...

    def sync_write(self, item: Register, values: Mapping[int, int]) -> bytes:
        """Write the same register of several motors; none answers."""
        ...

    def replies(self, data: bytes, size: int) -> Replies:
        """Find the replies that carry `size` bytes, or refuse to; noise between them is skipped."""
        ...
