"""Which files hold a split: `NAME-SPLIT.tfrecord-00000-of-00002` and so on, all of them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from etude.core.errors import DatasetError, NotFound

INFO = Path("dataset_info.json")
_SHARD = re.compile(r"(?P<name>.+)-(?P<split>[^-]+)\.tfrecord-(?P<number>\d+)-of-(?P<count>\d+)")


def splits(root: Path) -> dict[str, list[Path]]:
    """Map each split to its files, in order; raise `DatasetError` when one is missing."""
    found: dict[str, dict[int, Path]] = defaultdict(dict)
    counts: dict[str, int] = {}
    for path in sorted(root.glob("*.tfrecord-*")):
        match = _SHARD.fullmatch(path.name)
        if match:
            found[match["split"]][int(match["number"])] = path
            counts[match["split"]] = int(match["count"])
    for split, shards in found.items():
        lacking = [number for number in range(counts[split]) if number not in shards]
        if lacking:
            where = f"{split} {lacking[0]:05d} of {counts[split]:05d}"
            raise DatasetError(root, f"lacks {len(lacking)} of its files, first {where}. Copy the folder again.")
    return {split: [shards[number] for number in sorted(shards)] for split, shards in sorted(found.items())}


def shards_of(root: Path, split: str) -> tuple[list[Path], Sequence[str]]:
    """Give the files of a split, and the names of the other splits; raise `NotFound` when there is no such split."""
    known = splits(root)
    if split not in known:
        raise NotFound(f"split of {root}", split, known)
    return known[split], [name for name in known if name != split]


def name_of(root: Path) -> str:
    """Tell the dataset's name."""
    return str(_info(root).get("name") or root.name)


def promised_counts(root: Path, split: str) -> list[int]:
    """Tell how many records each file of a split should hold; nothing when that was not written down."""
    for part in _info(root).get("splits", ()):
        if part.get("name") == split:
            return [int(count) for count in part.get("shardLengths", ())]
    return []


def _info(root: Path) -> dict:
    path = root / INFO
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(path, f"cannot be read as JSON ({error}). Copy the file again.") from error
    return stored if isinstance(stored, dict) else {}
