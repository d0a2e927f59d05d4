"""Functions as commands: `WHAT --name=value ...` calls one of them and prints its answer in JSON."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any


def obey(words: list[str], commands: dict[str, Callable[..., Any]]) -> int:
    """Do one thing and print the answer, where there is one; each value is read as its default's type."""
    what, *rest = words
    given = dict(word.removeprefix("--").split("=", 1) for word in rest)
    command = commands[what]
    defaults = {name: each.default for name, each in inspect.signature(command).parameters.items()}
    answer = command(**{name: _as(defaults[name], value) for name, value in given.items()})
    if answer is not None:
        print(json.dumps(answer))
    return 0


def _as(default: Any, value: str) -> Any:
    if isinstance(default, bool):
        return value in ("True", "true", "1")
    return int(value) if isinstance(default, int) else value
