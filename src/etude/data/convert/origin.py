"""What a dataset was converted from; it is how a conversion that was interrupted is known again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from etude.core.errors import DatasetError
from etude.core.files import write_json
from etude.data.dataset import Dataset

FILE = Path("meta/etude/converted_from.json")


@dataclass(frozen=True)
class Origin:
    """The dataset that another one was made from."""

    source: str
    """Where it was, for people."""
    identity: str
    """What it is, wherever it is: its format, keys, rate, episodes and tasks."""


def origin_of(dataset: Dataset) -> Origin:
    """Say what a dataset is."""
    told = [
        dataset.format,
        dataset.fps,
        {key: str(spec) for key, spec in dataset.specs.items()},
        dataset.episodes.length.tolist(),
        list(dataset.tasks),
    ]
    digest = hashlib.blake2b(json.dumps(told).encode(), digest_size=16)
    return Origin(str(dataset.root.absolute()), digest.hexdigest())


def write_origin(root: Path, origin: Origin) -> None:
    """Note in dataset `root` what it is made from."""
    write_json(root / FILE, asdict(origin))


def read_origin(root: Path) -> Origin | None:
    """Read what dataset `root` was made from; nothing when it was not converted, or when that is not known."""
    path = root / FILE
    if not path.exists():
        return None
    try:
        return Origin(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(path, f"does not tell what the dataset was converted from ({error}). Delete it.") from error
