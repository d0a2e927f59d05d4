"""Everything a training run needs, made from its config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from etude.core.codec import encode
from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.data.cache import FrameCache
from etude.data.dataset import Dataset, Episodes
from etude.data.loading_cost import LoadingCost, loading_cost
from etude.data.opening import open_dataset
from etude.data.sampler import Sampler
from etude.data.sampling import sampler_of
from etude.data.windows import Windows
from etude.nn.ema import Ema
from etude.policies import policies
from etude.policies.devices import choose
from etude.policies.loaded import LoadedPolicy, Origin
from etude.train import state as states
from etude.train.config import TrainConfig
from etude.train.evaluate import OpenLoop, open_loop_error
from etude.train.optim import optimizer
from etude.train.precision import uses_bf16
from etude.train.samples import MOST_MEASURED, augmented, measured_stats, rows_of, split

MAY_CHANGE = {"output_dir", "steps", "save_freq", "log_freq", "num_threads", "device", "bf16", "cache_gb"}
"""Fields that a resumed run may have otherwise than the run that it resumes."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A training run, ready to go."""

    config: TrainConfig
    dataset: Dataset
    held_out: Episodes
    sampler: Sampler
    windows: Windows
    cache: FrameCache | None
    """Where decoded pictures are kept."""
    loaded: LoadedPolicy
    """The policy in training, with its pipeline."""
    state: states.State
    device: torch.device

    def draw(self) -> np.ndarray:
        """Choose the rows of the next batch."""
        return self.sampler.draw(self.config.batch_size)

    def read(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Read the samples of `rows`, pictures still uint8; safe to call from several threads."""
        return self.windows.batch(rows)

    def loading_cost(self) -> LoadingCost:
        """Measure what reading samples costs."""
        learned_from, _ = split(self.dataset, self.config.holdout_episodes)
        return loading_cost(self.dataset, self.windows, rows_of(learned_from, MOST_MEASURED), self.cache)

    def open_loop_error(self, loaded: LoadedPolicy, num_actions: int | None) -> OpenLoop:
        """Score a policy on the held-out episodes."""
        return open_loop_error(loaded, self.dataset, self.held_out, num_actions=num_actions, cache=self.cache)

    def encode(self, batch: Mapping[str, np.ndarray], step: int) -> dict[str, Tensor]:
        """Bring a batch to the device, vary its pictures, and run the pipeline on it."""
        tensors = {key: torch.from_numpy(value).to(self.device, non_blocking=True) for key, value in batch.items()}
        generator = torch.Generator().manual_seed(_mixed(self.config.seed, step))
        varied = augmented(tensors, self.loaded.observation, self.config.augment, generator)
        return self.loaded.pipeline.encode(varied)


def prepare(config: TrainConfig, resumed: Path | None) -> Setup:
    """Open the dataset and build the policy, or bring it to where `resumed`, a training state, left it."""
    if resumed:
        _check_resumable(config, resumed)
    device, dataset = choose(config.device), open_dataset(config.dataset)
    learned_from, held_out = split(dataset, config.holdout_episodes)
    torch.manual_seed(config.seed)
    loaded = _new_policy(config, dataset, rows_of(learned_from, MOST_MEASURED), device)
    assert isinstance(loaded.policy, nn.Module)
    state = states.State(
        policy=loaded.policy,
        optimizer=optimizer(loaded.policy, config),
        ema=Ema(loaded.policy, config.ema_decay) if config.ema_decay else None,
        bf16=uses_bf16(config.bf16, device),
    )
    if resumed:
        states.restore(resumed, state)
    keys, cache = [*loaded.observation, ACTION], _cache(config)
    return Setup(
        config=config,
        dataset=dataset,
        held_out=held_out,
        sampler=_sampler(config, dataset, learned_from, state.step),
        windows=Windows(dataset, config.policy.window, keys, image_size=config.policy.image_size, cache=cache),
        cache=cache,
        loaded=loaded,
        state=state,
        device=device,
    )


def _sampler(config: TrainConfig, dataset: Dataset, episodes: Episodes, step: int) -> Sampler:
    """Give the sampler as it stands after `step` batches."""
    drawn = step * config.batch_size
    return sampler_of(dataset, episodes, config.seed, drawn=drawn, is_streamed=config.streaming)


def _new_policy(config: TrainConfig, dataset: Dataset, rows: np.ndarray, device: torch.device) -> LoadedPolicy:
    if ACTION not in dataset.specs:
        raise ConfigError(f"{dataset.root} has no '{ACTION}'; there is {', '.join(dataset.specs)}.")
    observation, action = dict(config.policy.observes(dataset.specs)), dataset.specs[ACTION]
    reframe = config.policy.reframe(observation, action)
    numbers = [key for key in (*observation, ACTION) if key in dataset.specs and not dataset.specs[key].is_image]
    table = Windows(dataset, config.policy.window, numbers)
    stats = measured_stats(dataset, table, rows, reframe)
    policy = policies.build(config.policy, observation, action)
    policy.begin_training()
    return LoadedPolicy(
        policy=policy.to(device),
        config=config.policy,
        pipeline=config.policy.pipeline(stats, observation, action),
        observation=observation,
        action=action,
        origin=Origin(
            fps=dataset.fps,
            robot_type=dataset.robot_type,
            tasks=tuple(dataset.tasks),
            dataset=str(config.dataset),
        ),
        device=str(device),
    )


def _cache(config: TrainConfig) -> FrameCache | None:
    if config.cache_gb == 0:
        return None
    return FrameCache(max_bytes=None if config.cache_gb is None else int(1e9 * config.cache_gb))


def _mixed(seed: int, step: int) -> int:
    """Give each step of each run a random seed of its own."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0])


def stored_form(config: TrainConfig) -> dict[str, Any]:
    """Give the config as JSON."""
    return encode(config, {"policy": policies})


def _check_resumable(config: TrainConfig, resumed: Path) -> None:
    if not resumed.exists():
        raise ConfigError(f"There is nothing to resume in {config.output_dir}: it has no {resumed.name}.")
    before, now = states.stored_config(resumed), stored_form(config)
    changed = [name for name in now if name not in MAY_CHANGE and now[name] != before.get(name)]
    if changed:
        raise ConfigError(
            f"The run in {config.output_dir} was started with other values of {', '.join(changed)}. Resume it with "
            "those, or start a new run."
        )
