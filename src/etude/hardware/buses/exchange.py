"""One question on a wire and the answers to it: how long to wait, what was lost, what was damaged."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from etude.core.clock import Clock
from etude.hardware.buses.dialect import Dialect, Question, Reply
from etude.hardware.device import Line

LONGEST_S = 0.05
"""No adapter or driver keeps an answer longer than this; some keep it for 16 ms."""
_SHORTEST_S = 0.004
"""A busy computer may look away for so long."""
_STEP_S = 0.002
"""Waiting times are multiples of it, since a serial port is slow to change them."""
_MAX_READS = 32
"""Reads per answer; a line that babbles must not keep the bus for ever."""
_BITS = 10
"""Bits on the wire per byte."""


def wire_seconds(num_bytes: int, baud_rate: int) -> float:
    """Tell how long `num_bytes` take on a wire [s]."""
    return num_bytes * _BITS / baud_rate


@dataclass(frozen=True, slots=True)
class Answers:
    """Who answered what."""

    replies: dict[int, Reply] = field(default_factory=dict)
    damaged: frozenset[int] = frozenset()
    """Those who did answer, but what came was garbled."""


class _Pile:
    """Bytes that came after a question, and what could be made of them so far."""

    def __init__(self, dialect: Dialect, question: Question) -> None:
        self.missing = set(question.wanted)
        self._dialect, self._question = dialect, question
        self._replies: dict[int, Reply] = {}
        self._all = self._pending = b""
        self._skipped = 0

    @property
    def expected(self) -> int:
        """How many bytes to wait for; as many as for all that are missing, where noise has taken their place."""
        whole = self._question.frame_bytes + len(self.missing) * self._question.reply_bytes
        return whole - len(self._pending) if len(self._pending) < whole else whole

    def add(self, data: bytes) -> None:
        """Take what came."""
        self._all += data
        self._sort(self._pending + data)

    def answers(self) -> Answers:
        """Give what was found when nothing more comes."""
        while self.missing and self._pending:  # what began like a long packet may hide a short one
            self._skipped += 1
            self._sort(self._pending[1:])
        return Answers(self._replies, self._damaged() if self._skipped else frozenset())

    def _sort(self, data: bytes) -> None:
        found, self._pending, skipped = self._dialect.replies(data, self._question.size)
        self._skipped += skipped
        self._replies |= {reply.id: reply for reply in found if reply.id in self.missing}
        self.missing -= self._replies.keys()

    def _damaged(self) -> frozenset[int]:
        """Tell whose answers were garbled: those whose header came, or all when it is anybody's guess."""
        named = frozenset(motor_id for motor_id in self.missing if self._dialect.header(motor_id) in self._all)
        return named or frozenset(self.missing)


class Turnaround:
    """Learns how long answers take beyond their bytes on the wire, the way TCP learns its time-outs."""

    def __init__(self) -> None:
        self._mean_s, self._spread_s, self._backoff = LONGEST_S / 2, LONGEST_S / 8, 1

    @property
    def allowance_s(self) -> float:
        """How long to wait for an answer that is in a hurry."""
        wanted = (self._mean_s + 4 * self._spread_s) * self._backoff
        return min(math.ceil(max(wanted, _SHORTEST_S) / _STEP_S) * _STEP_S, LONGEST_S)

    def heard(self, after_s: float) -> None:
        """Learn from an answer."""
        self._backoff = 1
        self._spread_s += (abs(after_s - self._mean_s) - self._spread_s) / 4
        self._mean_s += (after_s - self._mean_s) / 8

    def missed(self) -> None:
        """Wait longer the next time, in case answers have become slow."""
        self._backoff = min(2 * self._backoff, 16)


class Exchange:
    """Sends questions over a line and collects the answers; it neither repeats nor raises what was not answered."""

    def __init__(self, line: Line, dialect: Dialect, clock: Clock, baud_rate: int) -> None:
        self.baud_rate = baud_rate
        self.bytes_sent = self.bytes_received = 0
        self._line, self._dialect, self._clock = line, dialect, clock
        self._turnaround = Turnaround()
        self._unanswered = ("", 0.0)

    def tell(self, request: bytes) -> None:
        """Send what nobody answers."""
        self._line.write(request)
        self.bytes_sent += len(request)

    def ask(self, question: Question) -> Answers:
        """Send `question` once and collect the answers that come in time."""
        self._await_late(question.topic)
        self._line.discard()
        sent_at = self._clock.now()
        self.tell(question.request)
        answers = self._collect(question, sent_at)
        self._learn(question, answers, self._clock.now() - sent_at)
        return answers

    def _collect(self, question: Question, sent_at: float) -> Answers:
        allowance_s = self._turnaround.allowance_s if question.is_urgent else LONGEST_S + question.patience_s
        deadline = sent_at + allowance_s + self._least_s(question)
        pile, timeout_s = _Pile(self._dialect, question), deadline - sent_at
        for _ in range(_MAX_READS):
            expected = pile.expected
            data = self._line.read(expected, timeout_s)
            self.bytes_received += len(data)
            pile.add(data)
            timeout_s = deadline - self._clock.now()
            if not pile.missing or len(data) < expected or timeout_s <= 0:
                break
        return pile.answers()

    def _learn(self, question: Question, answers: Answers, took_s: float) -> None:
        if len(answers.replies) == len(question.wanted):
            self._turnaround.heard(max(0.0, took_s - self._least_s(question)))
            self._unanswered = ("", 0.0)
            return
        if question.is_urgent and not answers.replies and not answers.damaged:
            self._turnaround.missed()
        self._unanswered = (question.topic, self._clock.now() - took_s + LONGEST_S)

    def _await_late(self, topic: str) -> None:
        """Let an answer to another question come and go, lest it is taken for the answer to this one."""
        asked, until = self._unanswered
        remaining_s = until - self._clock.now()
        if asked != topic and remaining_s > 0:
            self._line.read(1 << 12, remaining_s)
        self._unanswered = ("", 0.0)

    def _least_s(self, question: Question) -> float:
        replies = question.frame_bytes + len(question.wanted) * question.reply_bytes
        return wire_seconds(len(question.request) + replies, self.baud_rate)
