"""Which entry of a robot or dataset is which of a policy's, where they go by different names."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from etude.core.errors import ConfigError
from etude.core.spec import Spec, Specs
from etude.transforms.pipeline import Pipeline
from etude.transforms.rename import Rename
from etude.transforms.transform import Reshaping


def seen(pipeline: Pipeline, specs: Specs) -> dict[str, Spec]:
    """Give the specs of what a robot gives or is given, as the network behind `pipeline` knows them."""
    named = dict(specs)
    for step in pipeline.inputs:
        named = step.named(named) if isinstance(step, Reshaping) else named
    return named


def fed(pipeline: Pipeline, observation: Specs, rename_map: Mapping[str, str]) -> tuple[Pipeline, dict[str, Spec]]:
    """Give a policy's pipeline and observation for a robot or dataset that has other names for its entries.

    `rename_map` leads from those names to the policy's; raises `ConfigError` for a name that the policy does not have.
    """
    strange = [name for name in rename_map.values() if name not in observation]
    if strange:
        raise ConfigError(f"--rename_map leads to '{strange[0]}', but the policy looks at {', '.join(observation)}.")
    if len(set(rename_map.values())) < len(rename_map):
        raise ConfigError(f"--rename_map gives one name to several keys: {', '.join(rename_map.values())}.")
    if not rename_map:
        return pipeline, dict(observation)
    step, before = Rename(keys=dict(rename_map)), {new: old for old, new in rename_map.items()}
    outside = {before.get(key, key): spec for key, spec in observation.items()}
    if len(outside) < len(observation):
        raise ConfigError(f"--rename_map takes a name for two entries: the policy looks at {', '.join(observation)}.")
    return replace(pipeline, inputs=(step, *pipeline.inputs), outputs=(step, *pipeline.outputs)), outside


def proposed(wanted: Specs, present: Specs) -> dict[str, str]:
    """Guess which entries of `present` are those of `wanted` that it lacks: a rename map, empty without a guess.

    A picture stands for a picture and a vector for one of its length; among those the nearest name is taken.
    """
    free = {key: spec for key, spec in present.items() if key not in wanted and key.startswith("observation.")}
    found: dict[str, str] = {}
    for key, spec in wanted.items():
        if key in present:
            continue
        alike = [name for name in free if name not in found and _is_alike(spec, free[name])]
        if not alike:
            return {}
        found[max(alike, key=lambda name: difflib.SequenceMatcher(None, key, name).ratio())] = key
    return found


def lacking(wanted: Specs, present: Specs, where: str) -> str:
    """Say which entries `where`, such as "the robot", lacks, and what would do; empty when it has all."""
    missing = [key for key in wanted if key not in present]
    if not missing:
        return ""
    told = f"{where} has no {_quoted(missing)}, which the policy looks at; it has {', '.join(present) or 'nothing'}."
    guess = proposed(wanted, present)
    if guess:
        return f"{told} If they only go by other names, add --rename_map='{json.dumps(guess)}'."
    cameras = [key.rpartition(".")[2] for key in missing if wanted[key].is_image]
    return f"{told} Give it a camera named {_quoted(cameras)}." if cameras else told


def _is_alike(wanted: Spec, got: Spec) -> bool:
    return (wanted.is_image and got.is_image) or (wanted.shape == got.shape and wanted.dtype == got.dtype)


def _quoted(names: Iterable[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
