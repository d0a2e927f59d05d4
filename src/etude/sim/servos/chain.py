"""Simulated servos on one wire, whatever their family: bytes in, answers out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from etude.sim.servos.servo import Servo

AnyServo_co = TypeVar("AnyServo_co", bound=Servo, covariant=True)


class Chain(ABC, Generic[AnyServo_co]):
    """Servos of one family on one wire."""

    id_at: ClassVar[int]
    """Where the id lies in an answer."""

    def __init__(self, servos: Sequence[AnyServo_co]) -> None:
        self.servos = tuple(servos)
        self._received = b""
        self._baud_rate: int | None = None

    def exchange(self, data: bytes) -> bytes:
        """Take bytes from the host, at the rate of every servo; give all replies, in order."""
        return b"".join(reply for _, reply in self.replies(data))

    def replies(self, data: bytes, baud_rate: int | None = None) -> list[tuple[int, bytes]]:
        """Take bytes from the host, which may end in the middle of a packet; give all replies with their ids, in order.

        Servos that are set to another rate than `baud_rate` hear nothing; without one all listen.
        """
        if baud_rate != self._baud_rate:
            self._baud_rate, self._received = baud_rate, b""
        answers, self._received = self._hear(self._received + data)
        return [(answer[self.id_at], answer) for answer in answers if answer]

    @abstractmethod
    def _hear(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Obey the packets in `data`; give the answers, and the bytes at its end that may become one more packet."""

    def _is_awake(self, servo: Servo) -> bool:
        """Whether `servo` hears what is said now."""
        return not servo.is_silent and (self._baud_rate is None or self._baud_rate == servo.baud_rate)
