"""The values that a search may choose among, as typed: `log:1e-5:1e-3`, `uniform:0:0.5`, `int:1:8`, `choice:a,b`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etude.core.errors import ConfigError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

KINDS = ("log", "uniform", "int", "choice")
_FORMS = "log:LOW:HIGH, uniform:LOW:HIGH, int:LOW:HIGH or choice:A,B,C"


@dataclass(frozen=True, kw_only=True)
class Values:
    """What one option may be."""

    kind: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()

    @property
    def example(self) -> str:
        """One of them, as it is typed."""
        return self.choices[0] if self.choices else typed(int(self.low) if self.kind == "int" else self.low)

    def distribution(self) -> BaseDistribution:
        """Give Optuna's word for it."""
        from optuna import distributions  # noqa: PLC0415  an extra

        if self.kind == "choice":
            return distributions.CategoricalDistribution(self.choices)
        if self.kind == "int":
            return distributions.IntDistribution(int(self.low), int(self.high))
        return distributions.FloatDistribution(self.low, self.high, log=self.kind == "log")


def read(name: str, text: str) -> Values:
    """Read what `--space.NAME=TEXT` says; raise `ConfigError` when that makes no sense."""
    kind, _, rest = text.partition(":")
    if kind == "choice" and all(choices := tuple(rest.split(","))):
        return Values(kind=kind, choices=choices)
    try:
        low, high = map(int if kind == "int" else float, rest.split(":"))
    except ValueError:
        low = high = math.nan
    is_sound = kind in KINDS and math.isfinite(low) and math.isfinite(high) and low < high
    if not is_sound or (kind == "log" and low <= 0):
        raise ConfigError(f"--space.{name} should be {_FORMS} with LOW < HIGH (above 0 for log), got {text}.")
    return Values(kind=kind, low=low, high=high)


def words(parameters: Mapping[str, object]) -> list[str]:
    """Give the options that choose `parameters`."""
    return [f"--{name}={typed(value)}" for name, value in parameters.items()]


def typed(value: object) -> str:
    """Give a value as it is typed, every digit of it."""
    return repr(value) if isinstance(value, float) else str(value)
