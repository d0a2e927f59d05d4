"""What is shown of an episode, in plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from etude.core.errors import UserError
from etude.core.frame import ACTION, STATE
from etude.core.spec import Spec
from etude.data.dataset import Dataset, Episode
from etude.data.timing import IS_LATE, REPEATED, TIME


@dataclass(frozen=True, kw_only=True)
class Line:
    """One element of one key over an episode's frames."""

    label: str
    """What it is beside other lines of the same plot, such as `state`."""
    values: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Lines that are drawn over one another."""

    title: str
    unit: str = ""
    lines: Sequence[Line] = field(default_factory=list[Line])


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An episode to look at."""

    dataset: Dataset
    number: int
    episode: Episode
    plots: list[Plot]
    late: list[int]
    """Frames that came late."""
    repeated: dict[str, list[int]]
    """Per camera, frames that show the picture before."""
    rate_hz: float
    """How fast frames really came; NaN when that was not noted."""

    @property
    def tasks(self) -> list[str]:
        """Task texts."""
        return list(self.episode.tasks)


def shown(dataset: Dataset, number: int) -> Shown:
    """Gather what is shown of the episode at position `number`; raise `UserError` when there is none."""
    count = len(dataset.episodes)
    if not 0 <= number < count:
        raise UserError(f"{dataset.root} has no episode {number}; it has {count}, numbered from 0.")
    episode = dataset.episodes[number]
    rows = slice(episode.start, episode.stop)
    timing = {name: values[rows] for name, values in dataset.timing().items()}
    steps = np.diff(timing[TIME]) if TIME in timing else np.zeros(0)
    steps = steps[np.isfinite(steps)]
    return Shown(
        dataset=dataset,
        number=number,
        episode=episode,
        plots=_plots(dataset, episode),
        late=np.flatnonzero(timing.get(IS_LATE, np.zeros(0))).tolist(),
        repeated={
            name.removesuffix(REPEATED): np.flatnonzero(flags).tolist()
            for name, flags in timing.items()
            if name.endswith(REPEATED)
        },
        rate_hz=float(1 / steps.mean()) if len(steps) and steps.mean() > 0 else float("nan"),
    )


def _plots(dataset: Dataset, episode: Episode) -> list[Plot]:
    """Draw state and action of one joint over one another, and everything else alone."""
    keys = [key for key in dataset.specs if key not in dataset.codecs]
    columns = {key: _column(dataset, key, episode) for key in keys}
    plots = _joint_plots(dataset, columns)
    drawn = {STATE, ACTION} if plots else set()
    for key in (key for key in keys if key not in drawn):
        spec = dataset.specs[key]
        for index, name in enumerate(names_of(spec, columns[key].shape[1])):
            line = Line(label=_short(key), values=columns[key][:, index])
            plots.append(Plot(title=name, unit=spec.unit, lines=[line]))
    return plots


def _joint_plots(dataset: Dataset, columns: dict[str, np.ndarray]) -> list[Plot]:
    if STATE not in columns or ACTION not in columns:
        return []
    state, action = dataset.specs[STATE], dataset.specs[ACTION]
    states, actions = names_of(state, columns[STATE].shape[1]), names_of(action, columns[ACTION].shape[1])
    plots: list[Plot] = []
    for name in dict.fromkeys([*states, *actions]):
        lines = [
            Line(label=label, values=columns[key][:, names.index(name)])
            for key, label, names in ((STATE, "state", states), (ACTION, "action", actions))
            if name in names
        ]
        plots.append(Plot(title=name, unit=state.unit or action.unit, lines=lines))
    return plots


def _column(dataset: Dataset, key: str, episode: Episode) -> np.ndarray:
    values = dataset.take(key, np.arange(episode.start, episode.stop))
    return np.asarray(values, np.float32).reshape(len(episode), -1)


def names_of(spec: Spec, width: int) -> list[str]:
    """Give a name to each element; where two are called the same, their numbers tell them apart."""
    names = list(spec.names) if len(spec.names) == width else [str(number) for number in range(width)]
    return names if len(set(names)) == width else [f"{name} [{number}]" for number, name in enumerate(names)]


def _short(key: str) -> str:
    return key.removeprefix("observation.")
