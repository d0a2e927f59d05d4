"""The policy that a run begins with: a new one, or one that has learned already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from etude.core.errors import ConfigError, NotFound
from etude.core.frame import ACTION
from etude.core.stats import Stats
from etude.data.dataset import Dataset
from etude.data.units import tells_degrees
from etude.data.windows import Windows
from etude.policies import checkpoint, policies
from etude.policies.config import PolicyConfig
from etude.policies.loaded import LoadedPolicy, Origin
from etude.policies.renaming import seen
from etude.policies.weights import fill
from etude.train.config import TrainConfig
from etude.train.finetune import begun_from
from etude.train.hand import learned_in
from etude.train.samples import measured_stats
from etude.transforms.pipeline import Pipeline
from etude.transforms.rename import Rename
from etude.transforms.transform import Reshaping

FED_BY = (
    "image_size", "normalization_mapping", "use_imagenet_stats", "use_relative_actions", "relative_exclude_joints",
)  # fmt: skip
"""Values of a policy's config that say what happens to frames and actions around it."""


@dataclass(frozen=True)
class Sample:
    """What of a dataset statistics are measured on."""

    rows: np.ndarray
    left_out: np.ndarray | None = None
    """Rows of the dataset that offsets pass over (row,)."""


def first_policy(
    config: TrainConfig, dataset: Dataset, sample: Sample, device: torch.device, *, is_resumed: bool = False
) -> LoadedPolicy:
    """Make the policy, fed with the dataset's keys, or take that of `policy_path`; statistics are those of `sample`.

    One that is resumed reads no pretrained weights, since it gets its own.

    Raises `ConfigError` or `SpecMismatch` where dataset and policy do not fit, naming what does not.
    """
    if ACTION not in dataset.specs:
        raise ConfigError(f"{dataset.root} has no '{ACTION}'; there is {', '.join(dataset.specs)}.")
    made = _continued(config, dataset, sample) if config.policy_path else _new(config, dataset, sample)
    if not config.policy_path and not is_resumed:
        made.policy.begin_training()
    origin = Origin(
        fps=dataset.fps,
        robot_type=dataset.robot_type,
        tasks=tuple(dataset.tasks),
        dataset=", ".join(map(str, config.datasets)),
        uses_degrees=tells_degrees(dataset),
    )
    assert isinstance(made.policy, nn.Module)
    return replace(made, policy=made.policy.to(device), origin=origin, device=str(device))


def _new(config: TrainConfig, dataset: Dataset, sample: Sample) -> LoadedPolicy:
    for key in config.rename_map:
        if key not in dataset.specs:
            raise NotFound("key of the dataset for --rename_map", key, dataset.specs)
    rename = Rename(keys=config.rename_map)
    specs = rename.named(dataset.specs)
    observation, action = dict(config.policy.observes(specs)), specs[ACTION]
    space = learned_in(config.hand, observation, action, is_in_degrees=tells_degrees(dataset) is not False)
    reframe = space.around(config.policy.reframe(space.observation, space.action))
    before = {new: old for old, new in config.rename_map.items()}
    keys = [before.get(key, key) for key in observation]
    whole = Pipeline((rename, *reframe.inputs)) if rename.keys else reframe
    stats = _measured(config, dataset, sample, keys, whole)
    policy = policies.build(config.policy, space.observation, space.action)
    made = LoadedPolicy(
        policy=policy,
        config=config.policy,
        pipeline=space.around(config.policy.pipeline(rename.named(stats), space.observation, space.action)),
        observation=observation,
        action=action,
    )
    return made.fed_by({old: new for old, new in config.rename_map.items() if new in observation})


def _continued(config: TrainConfig, dataset: Dataset, sample: Sample) -> LoadedPolicy:
    """Take a checkpoint's weights into the policy that the config asks for, which may differ in what is no weight."""
    assert config.policy_path is not None
    loaded = checkpoint.load(config.policy_path)
    strange = [step for step in loaded.pipeline.inputs if isinstance(step, Reshaping) and not isinstance(step, Rename)]
    if config.hand or (strange and config.normalization == "dataset"):
        raise ConfigError(
            "A policy that begins from a checkpoint goes on in the space it learned in: leave out --hand, and for one "
            "that learned where the hand goes --normalization=dataset too."
        )
    if config.normalization == "checkpoint":
        _check_fed_alike(loaded.config, config.policy)
    assert isinstance(loaded.policy, nn.Module)
    made = policies.build(config.policy, loaded.seen, seen(loaded.pipeline, {ACTION: loaded.action})[ACTION])
    fill(made, loaded.policy.state_dict(), config.policy_path)
    loaded = replace(loaded, policy=made, config=config.policy)
    fed = begun_from(loaded, dataset.specs, None, config.rename_map)
    if config.normalization == "checkpoint":
        return fed
    renames = [step for step in fed.pipeline.inputs if isinstance(step, Rename)]
    reframe = config.policy.reframe(fed.seen, fed.action)
    stats = _measured(config, dataset, sample, fed.observation, Pipeline((*renames, *reframe.inputs)))
    return begun_from(loaded, dataset.specs, stats, config.rename_map)


def _check_fed_alike(before: PolicyConfig, now: PolicyConfig) -> None:
    """Raise `ConfigError` where a policy that keeps its pipeline is asked to be fed in another way."""
    changed = [name for name in FED_BY if getattr(before, name, None) != getattr(now, name, None)]
    if changed:
        raise ConfigError(
            f"The checkpoint learned with another {' and '.join(changed)}, and keeps what it is fed. Leave that out, "
            "or have it fed anew: --normalization=dataset."
        )


def _measured(
    config: TrainConfig, dataset: Dataset, sample: Sample, keys: Iterable[str], reframe: Pipeline
) -> dict[str, Stats]:
    """Give statistics of the dataset, those of numbers among `keys` as they are after `reframe`."""
    numbers = [key for key in (*keys, ACTION) if not dataset.specs[key].is_image]
    windows = Windows(dataset, config.policy.window, numbers, left_out=sample.left_out)
    return measured_stats(dataset, windows, sample.rows, reframe)
