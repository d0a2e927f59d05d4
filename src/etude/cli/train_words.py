"""The words of `etude train` that stand for others: several datasets, and a run that goes on as it was configured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from etude.core.errors import UserError

SEVERAL = ("--dataset.root", "--dataset.weights")
"""Flags that may be given once for each dataset."""


def expand(arguments: Sequence[str]) -> list[str]:
    """Spell out flags given several times, and read the stored run where one is resumed."""
    values: dict[str, list[str]] = {flag: [] for flag in SEVERAL}
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        flag, equals, value = argument.partition("=")
        if flag not in values:
            rest.append(argument)
        elif equals:
            values[flag].append(value)
        else:
            while queue and not queue[0].startswith("--"):
                values[flag].append(queue.pop(0))
    for flag, given in values.items():
        rest += [flag, *given] if given else []
    return _stored(rest) + rest


def _stored(words: Sequence[str]) -> list[str]:
    """Give the flag that reads the run in --output_dir, where it is to go on and no other one is named."""
    given = dict(_pairs(words))
    config = Path(given.get("--output_dir", "")) / "config.json"
    is_resumed = given.get("--resume", "false").lower() in ("true", "")
    is_read = is_resumed and "--output_dir" in given and not {"--config", "--config_path"} & given.keys()
    if is_read and not config.is_file() and not (config.parent / "checkpoints").is_dir():
        raise UserError(f"{config.parent} holds no run to go on with: it has no {config.name}.")
    return [f"--config={config}"] if is_read else []


def _pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for number, word in enumerate(words):
        flag, equals, value = word.partition("=")
        following = words[number + 1] if number + 1 < len(words) else "--"
        pairs.append((flag, value if equals or following.startswith("--") else following))
    return pairs
