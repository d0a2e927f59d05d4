"""What `mix.json` says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from etude.core.codec import decode
from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """One of the datasets that are mixed."""

    root: str
    """Its folder, as seen from `mix.json`; or a URL, or a Hugging Face name."""
    weight: float | None = None
    """Its share of samples, relative to the others'. Default: its number of frames."""
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    """New names of its keys, by their own."""
    episodes: tuple[int, ...] | None = None
    """Its episodes that are used. Default: all."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which datasets are mixed, and what happens to keys that not all of them have."""

    datasets: tuple[Ingredient, ...]
    fill: tuple[str, ...] = ()
    """Keys that some datasets may lack: black pictures and zeros stand for them."""
    leave_out: tuple[str, ...] = ()
    """Keys that the mix does without."""
    fps: int | None = None
    """The frame rate to claim when the datasets' differ."""

    def __post_init__(self) -> None:
        if not self.datasets:
            raise ConfigError("A mix needs a dataset: 'datasets' is empty.")
        weights = [each.weight for each in self.datasets]
        if None in weights and any(weight is not None for weight in weights):
            raise ConfigError("Give every dataset of the mix a weight, or none.")
        wrong = next((each for each in self.datasets if each.weight is not None and each.weight <= 0), None)
        if wrong:
            raise ConfigError(f"The weight of {wrong.root} should be above 0, got {wrong.weight}; or leave it out.")


def read_recipe(path: Path) -> Recipe:
    """Read `mix.json`; raise `ConfigError` saying what in it makes no sense."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as JSON ({error}).") from error
    return decode(Recipe, stored, where=str(path))
