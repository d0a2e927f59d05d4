"""A policy that has learned already, made ready to go on with another dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from etude.core.errors import ConfigError
from etude.core.frame import ACTION, images
from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.policies.loaded import LoadedPolicy
from etude.transforms.normalize import Normalize
from etude.transforms.pipeline import Pipeline
from etude.transforms.rename import Rename


def begun_from(
    loaded: LoadedPolicy, specs: Specs, stats: Mapping[str, Stats] | None = None, rename_map: Mapping[str, str] = {}
) -> LoadedPolicy:
    """Give `loaded` for a dataset with `specs`, whose keys `rename_map` leads to the policy's.

    With `stats`, the dataset's by its own keys, numbers are normalised by those and pictures as before; otherwise all
    is normalised as it was. Raises `ConfigError` or `SpecMismatch` that says what does not fit, and proposes a map.
    """
    if ACTION not in specs:
        raise ConfigError(f"The dataset has no '{ACTION}'; there is {', '.join(specs)}.")
    fed = loaded.fed_by(rename_map)
    fed.check_fits(specs, specs[ACTION], where="the dataset")
    observation = {key: _named(spec, specs[key]) for key, spec in fed.observation.items()}
    fed = replace(fed, observation=observation, action=_named(fed.action, specs[ACTION]))
    return fed if stats is None else replace(fed, pipeline=_measured_anew(fed, stats))


def _named(spec: Spec, own: Spec) -> Spec:
    """Give the dataset's names and units, which checkpoints of LeRobot lack; a picture's size stays the policy's."""
    return replace(spec, names=own.names or spec.names, unit=own.unit or spec.unit)


def _measured_anew(loaded: LoadedPolicy, stats: Mapping[str, Stats]) -> Pipeline:
    renames = tuple(step for step in loaded.pipeline.inputs if isinstance(step, Rename))
    named = dict(stats)
    for step in renames:
        named = step.named(named)
    before = [step.stats for step in loaded.pipeline.inputs if isinstance(step, Normalize)]
    # Pictures of one kind of camera are alike wherever they come from, and the encoder has got used to these numbers.
    pictures = {key: each[key] for each in before for key in images(loaded.seen) if key in each}
    inner = loaded.config.pipeline(named | pictures, loaded.seen, loaded.action)
    return Pipeline((*renames, *inner.inputs), (*renames, *inner.outputs))
