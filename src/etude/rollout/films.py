"""Which rollouts of an evaluation are filmed: the first ones, and failures."""

from __future__ import annotations

import shutil
from pathlib import Path

from etude.data.video.splice import Piece, film_of, splice

ROLLOUTS, FAILURES = "rollouts.mp4", "failures.mp4"


class Films:
    """Keeps the films of the first `num` rollouts, and of up to `num` later ones that failed.

    Rollouts are filmed into files of their own, maybe by several processes, and joined at the end.
    """

    def __init__(self, folder: Path, num: int) -> None:
        self._folder, self._num = folder, num
        self._parts = folder / ".films"
        self._failed: list[int] = []

    def path(self, index: int) -> Path | None:
        """Say where rollout `index` is to be filmed; none when it need not be."""
        return self._part(index) if index < self._num or len(self._failed) < self._num else None

    def is_for_failure(self, index: int) -> bool:
        """Whether nobody wants the film of rollout `index` if it succeeds."""
        return index >= self._num

    def done(self, index: int, *, is_success: bool) -> None:
        """Learn how a rollout went."""
        if index < self._num:
            return
        if not is_success:
            self._failed.append(index)
        else:
            self._part(index).unlink(missing_ok=True)

    def join(self) -> list[Path]:
        """Make the films that there is something for; give their files."""
        failed = sorted(self._failed)[: self._num]
        made = [self._joined(ROLLOUTS, list(range(self._num))), self._joined(FAILURES, failed)]
        self.drop()
        return [path for path in made if path]

    def drop(self) -> None:
        """Delete what was filmed and not joined."""
        shutil.rmtree(self._parts, ignore_errors=True)

    def _part(self, index: int) -> Path:
        return self._parts / f"{index:06d}.mp4"

    def _joined(self, name: str, indices: list[int]) -> Path | None:
        parts = [self._part(index) for index in indices if self._part(index).exists()]
        if not parts:
            return None
        films = [film_of(part) for part in parts]
        pieces = [Piece(path=part, start=0, length=film.num_frames) for part, film in zip(parts, films, strict=True)]
        splice(pieces, self._folder / name, films[0].rate)
        return self._folder / name
