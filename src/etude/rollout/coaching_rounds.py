"""What the coached rollouts of a round leave on disk: a dataset of corrections, and a line for every rollout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etude.core.codec import decode, encode
from etude.core.events import EventLog, read_events
from etude.data import create_dataset
from etude.data.dataset import DatasetWriter
from etude.data.draft import drafts
from etude.data.units import keep_units
from etude.rollout.coaching import Lesson, TakeOver
from etude.rollout.metrics import Result
from etude.rollout.statistics import wilson

JOURNAL, CORRECTIONS = "rollouts.jsonl", "corrections"
_KIND = "rollout"


class EnoughCorrectionsError(Exception):
    """There are as many corrections as were asked for; what else was on its way is not needed."""


@dataclass(frozen=True, kw_only=True)
class Coached:
    """How one coached rollout went."""

    seed: int
    success: bool
    ticks: int
    take_overs: tuple[TakeOver, ...] = ()
    driven: int = 0
    """Frames that the demonstrator drove, of a correction that is kept."""

    @property
    def is_alone(self) -> bool:
        """Whether the skill succeeded without help."""
        return self.success and not self.take_overs

    @property
    def is_kept(self) -> bool:
        """Whether it holds a correction that led to success."""
        return self.driven > 0


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What the rollouts of a round come to."""

    rollouts: tuple[Coached, ...]

    @property
    def alone(self) -> int:
        """In how many the skill succeeded without help."""
        return sum(each.is_alone for each in self.rollouts)

    @property
    def corrections(self) -> int:
        """How many hold a correction."""
        return sum(each.is_kept for each in self.rollouts)

    @property
    def driven(self) -> int:
        """How many frames the demonstrator drove in corrections."""
        return sum(each.driven for each in self.rollouts)

    def to_json(self) -> dict[str, Any]:
        """Give the numbers for a file."""
        n = len(self.rollouts)
        low, high = wilson(self.alone, n)
        alone = {"successes": self.alone, "n": n, "low": round(low, 4), "high": round(high, 4)}
        return {
            "episodes": n,
            "alone": alone,
            "corrections": self.corrections,
            "failed_corrections": self._failed,
            "correction_frames": self.driven,
            "take_overs": dict(self._reasons),
        }

    def __str__(self) -> str:
        n = len(self.rollouts)
        low, high = wilson(self.alone, n)
        share = f"{100 * self.alone / max(n, 1):.0f} % [{100 * low:.0f} to {100 * high:.0f} at 95 %]"
        why = ", ".join(f"{reason} {count}" for reason, count in self._reasons.items())
        told = f"The skill alone succeeded in {self.alone} of {n}: {share}. "
        if not self._reasons:
            return f"{told}It needed no correction."
        failed = f", {self._failed} came to nothing" if self._failed else ""
        return f"{told}{self.corrections} corrections with {self.driven} frames{failed} (taken over: {why})."

    @property
    def _failed(self) -> int:
        return sum(bool(each.take_overs) and not each.is_kept for each in self.rollouts)

    @property
    def _reasons(self) -> Counter[str]:
        return Counter(take_over.why for each in self.rollouts for take_over in each.take_overs)


class Notebook:
    """Takes rollouts as they come and writes them down in the order of their seeds: who was faster does not matter.

    One that was begun before goes on behind its last line. Raises `EnoughCorrectionsError` when there are
    `most_corrections`, if that is not 0.
    """

    def __init__(self, folder: Path, *, most_corrections: int = 0) -> None:
        self._folder, self._most = folder, most_corrections
        stored = [event for event in read_events(folder / JOURNAL) if event["kind"] == _KIND]
        self._rollouts = [_read(event, folder) for event in stored]
        self._log = EventLog(folder / JOURNAL)
        self._writer: DatasetWriter | None = None
        self._begin()

    @property
    def tally(self) -> Tally:
        """What is written down."""
        return Tally(rollouts=tuple(self._rollouts))

    @property
    def is_full(self) -> bool:
        """Whether there are enough corrections."""
        return 0 < self._most <= self.tally.corrections

    def left(self, seeds: Sequence[int]) -> Sequence[int]:
        """Give those of `seeds` that are still to be done, and expect them in this order."""
        self._begin()
        return seeds[len(self._rollouts) :]

    def gather(self, index: int, result: Result, lesson: Lesson) -> None:
        """Take rollout `index` of those that were left; write down what can be."""
        self._waiting[index] = result, lesson
        while self._next in self._waiting:
            self._commit(*self._waiting.pop(self._next))
            self._next += 1
            if self.is_full:
                raise EnoughCorrectionsError

    def close(self) -> None:
        """Let go of the files; harmless when done before."""
        self._log.close()
        if self._writer:
            self._writer.close()
            self._writer = None

    def _begin(self) -> None:
        self._next = 0
        self._waiting: dict[int, tuple[Result, Lesson]] = {}

    def _commit(self, result: Result, lesson: Lesson) -> None:
        coached = Coached(
            seed=result.seed,
            success=result.success,
            ticks=result.ticks,
            take_overs=lesson.take_overs,
            driven=lesson.num_driven,
        )
        if coached.is_kept:
            self._keep(lesson)
        self._rollouts.append(coached)
        self._log.write(_KIND, **encode(coached))

    def _keep(self, lesson: Lesson) -> None:
        writer = self._open(lesson)
        if writer.num_episodes > self.tally.corrections:
            return  # it was committed by somebody who was killed before the line was written
        for frame, timing in zip(lesson.frames, lesson.timings, strict=True):
            writer.add_frame(frame, timing)
        writer.save_episode(lesson.setting.task)

    def _open(self, lesson: Lesson) -> DatasetWriter:
        if self._writer is None:
            root, setting = self._folder / CORRECTIONS, lesson.setting
            is_there = (root / "meta" / "info.json").exists()
            self._writer = create_dataset(
                root, setting.columns, fps=setting.fps, robot_type=setting.robot_type, resume=is_there
            )
            keep_units(root, setting.uses_degrees)
            for draft in drafts(root):  # of an episode that is made again
                draft.drop()
        return self._writer


def _read(event: dict[str, Any], folder: Path) -> Coached:
    stored = {name: value for name, value in event.items() if name not in ("kind", "time")}
    return decode(Coached, stored, where=str(folder / JOURNAL))
