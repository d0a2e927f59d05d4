"""Which command mends what is wrong with a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Remedy:
    """Sentences that say what to do about the dataset in a folder, by its format."""

    root: Path
    format: str
    num_episodes: int

    @property
    def _is_ours(self) -> bool:
        return self.format == "lerobot_v3"

    def leave_out(self, episodes: Iterable[int]) -> str:
        """Say how to do without episodes that cannot be trusted."""
        numbers = sorted(set(episodes))
        if len(numbers) >= self.num_episodes:
            return "Copy the dataset again: every episode is concerned."
        if self._is_ours:
            return f"Leave it out: etude dataset delete {self.root} --episodes {ranges(numbers)}"
        return (
            f"Copy the dataset again; or convert it (etude dataset convert {self.root} NEW) and leave out episode "
            f"{ranges(numbers)} there."
        )

    def measure(self) -> str:
        """Say how to get right statistics."""
        if self._is_ours:
            return f"Measure again: etude dataset stats {self.root} --recompute"
        return f"Convert it, and they are measured: etude dataset convert {self.root} NEW"

    def encode(self) -> str:
        """Say how to get videos that are as they should be."""
        if self._is_ours:
            return f"Encode the videos again: etude dataset reencode {self.root}"
        return f"Convert it, and then encode the videos again: etude dataset convert {self.root} NEW"

    def recover(self) -> str:
        """Say how to get what can be saved."""
        return f"Copy it again, or save what is whole: etude dataset recover {self.root}"


def ranges(numbers: Iterable[int]) -> str:
    """Write 3, 5, 6, 7 as `3,5-7`, as `--episodes` reads it."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in _runs(numbers))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for number in numbers:
        if first is not None and last is not None and number != last + 1:
            yield first, last
            first = number
        first, last = number if first is None else first, number
    if first is not None and last is not None:
        yield first, last
