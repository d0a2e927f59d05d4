"""`etude dataset info`: what a dataset holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """Say what a dataset holds."""

    root: Positional[Path]
    """The dataset's folder."""
    json: bool = False
    """Print one JSON object."""


COMMAND = DatasetInfo


def run(command: DatasetInfo) -> int:
    """Print the summary."""
    from etude.data import open_dataset
    from etude.data.info import summary

    facts = summary(open_dataset(command.root))
    if command.json:
        print(json.dumps(facts))
        return 0
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, item in value.items():
                print(f"    {key}: {item}")
        else:
            print(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return 0
