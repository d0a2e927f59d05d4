"""Everything a training run needs, made from its config."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.data.cache import FrameCache
from etude.data.dataset import Dataset, Episodes
from etude.data.grips import grip_weights
from etude.data.loading_cost import LoadingCost, loading_cost
from etude.data.pauses import pause_rows
from etude.data.sampler import Sampler
from etude.data.sampling import Draw, sampler_of
from etude.data.windows import Windows
from etude.nn.ema import Ema, power_law, ramp
from etude.policies import checkpoint
from etude.policies.loaded import LoadedPolicy
from etude.policies.policy import LearnsInPhases, Policy
from etude.policies.seeing import settled
from etude.train import parallel
from etude.train import state as states
from etude.train.averaging import Together
from etude.train.compiling import compiles
from etude.train.config import TrainConfig
from etude.train.datasets import open_datasets
from etude.train.evaluate import OpenLoop
from etude.train.finite import check_rows, check_start, unsound
from etude.train.lora import adapt
from etude.train.open_loop import measure
from etude.train.optim import optimizer
from etude.train.pictures import Tables
from etude.train.precision import uses_bf16
from etude.train.samples import MOST_MEASURED, augmented, rows_of, split
from etude.train.start import Sample, first_policy
from etude.train.stored import check_resumable

if TYPE_CHECKING:
    from accelerate import Accelerator


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
    left_out: np.ndarray | None
    """Which rows of the dataset are not learned from, as they are of pauses (row,)."""
    emphasis: np.ndarray | None
    """How often rows of the dataset are drawn, relative to each other (row,); none: all alike."""
    loaded: LoadedPolicy
    """The policy in training, with its pipeline; where its weights lie in parts, a whole one, as of the last save."""
    tables: Tables
    """What becomes of pictures, where they are looked up."""
    state: states.State
    accelerator: Accelerator
    objective: nn.Module
    """The policy's loss, as Accelerate gave it back: for several processes, in low precision, compiled."""
    optimizer: Any
    """The state's optimizer, as Accelerate gave it back."""
    together: Together
    """What brings several processes together, where Accelerate does not."""

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        return torch.device(self.loaded.device)

    @property
    def is_over(self) -> bool:
        """Whether the run has made all its updates, or used all its time."""
        return self.config.budget.used(self.state.step, self.state.spent_s) >= 1

    @property
    def is_meeting(self) -> bool:
        """Whether all processes come together after the updates made so far, and hold the same from there on."""
        config, step = self.config, self.state.step
        is_alone = parallel.num_processes() == 1
        return is_alone or self.is_over or step % config.local_steps == 0 or step % config.save_freq == 0

    def take(self, whole: Mapping[str, Tensor]) -> None:
        """Act from now on with these weights: those in training lie in parts, in several processes."""
        assert isinstance(self.loaded.policy, nn.Module)
        self.loaded.policy.load_state_dict(whole)

    def draw(self) -> np.ndarray:
        """Choose the rows of the next batch of this process; all processes draw alike, and each takes its part."""
        size = self.config.batch_size
        rows = self.sampler.draw(size * parallel.num_processes())
        return rows[size * parallel.process_index() :][:size]

    def read(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Read the samples of `rows`, pictures still uint8; safe to call from several threads.

        Raises `DatasetError` for a value that is no number, naming it.
        """
        batch = self.windows.batch(rows)
        for key in unsound(batch):
            check_rows(self.dataset, key, self.windows.looked_at(key, rows))
        return batch

    def told(self) -> str:
        """Say in a sentence or two how the run computes, and what it begins from."""
        config, processes = self.config, parallel.num_processes()
        precision = "bfloat16" if self.state.bf16 else "float32"
        compiled = ", compiled" if compiles(config, self.device) else ""
        several = f" in {processes} processes" if processes > 1 else ""
        if processes > 1 and config.local_steps > 1:
            several += f" that average their weights every {config.local_steps} updates,"
        size = self.state.samples_per_step
        told = f"Training on {self.device}{several} in {precision}{compiled}, {size} samples in each update."
        if config.policy_path is not None:
            measure = (
                "as in the checkpoint" if config.normalization == "checkpoint" else "by statistics of this dataset"
            )
            told += f" It begins from {config.policy_path}; numbers are normalised {measure}."
        return told + self._told_of_frames()

    def _told_of_frames(self) -> str:
        rows, told = rows_of(split(self.dataset, self.config.holdout_episodes)[0]), ""
        if self.left_out is not None:
            told += _told_of(self.left_out[rows], "of pauses and left out")
        if self.emphasis is not None:
            told += _told_of(self.emphasis[rows] != 1, "of the moments that --emphasis names")
        return told

    def loading_cost(self) -> LoadingCost:
        """Measure what reading samples costs."""
        learned_from, _ = split(self.dataset, self.config.holdout_episodes)
        return loading_cost(self.dataset, self.windows, rows_of(learned_from, MOST_MEASURED), self.cache)

    def open_loop_error(self, loaded: LoadedPolicy, num_actions: int | None) -> OpenLoop:
        """Score a policy on the held-out episodes."""
        found = measure(loaded, self.dataset, self.held_out, num_actions=num_actions, cache=self.cache)
        return OpenLoop.of(found)

    def encode(self, batch: Mapping[str, np.ndarray], seed: int | None = None) -> dict[str, Tensor]:
        """Bring a batch to the device, vary its pictures as `seed` decides, if any, and run the pipeline on it."""
        generator = torch.Generator().manual_seed(seed or 0)
        augment = None if seed is None else self.config.augment
        pictures = {key: value for key, value in batch.items() if key in self.tables.names}
        rest = {key: torch.from_numpy(value) for key, value in batch.items() if key not in pictures}
        tensors = {key: value.to(self.device, non_blocking=True) for key, value in rest.items()}
        if augment:
            tensors = augmented(tensors, self.loaded.observation, augment, generator)
        return self.loaded.pipeline.encode(tensors) | self.tables.encode(pictures, augment, generator)


def _told_of(chosen: np.ndarray, what: str) -> str:
    return f" {chosen.sum()} of {len(chosen)} frames are {what} ({chosen.mean():.1%})."


def prepare(config: TrainConfig, resumed: Path | None, device: torch.device) -> Setup:
    """Open the dataset and build the policy, or bring it to where `resumed`, a training state, left it."""
    config = replace(config, policy=settled(config.policy))
    if resumed:
        check_resumable(config, resumed, parallel.num_processes())
    dataset = open_datasets(config)
    learned_from, held_out = split(dataset, config.holdout_episodes)
    check_start(dataset, learned_from)
    torch.manual_seed(config.seed)
    left_out = pause_rows(dataset) if config.drop_pauses else None
    emphasis = _emphasis(config, dataset)
    rows = rows_of(learned_from, MOST_MEASURED)
    sample = Sample(rows) if left_out is None else Sample(rows[~left_out[rows]], left_out)
    loaded = first_policy(_begun(config, resumed), dataset, sample, device, is_resumed=resumed is not None)
    _check_steps(config, loaded.policy)
    if config.lora.rank:
        adapt(loaded.policy, config.lora)
    state = _state(config, loaded, resumed)
    accelerator = parallel.accelerator(config, device, bf16=state.bf16)
    if parallel.is_sharded(accelerator):
        loaded = replace(loaded, policy=deepcopy(loaded.policy))
    objective, optimizer, together = parallel.shared(
        accelerator, parallel.Objective(loaded.policy), state.optimizer, config.local_steps
    )
    cache = _cache(config)
    return Setup(
        config=config,
        dataset=dataset,
        held_out=held_out,
        sampler=_sampler(config, dataset, learned_from, state, left_out=left_out, emphasis=emphasis),
        windows=_windows(config, dataset, [*loaded.observation, ACTION], cache, left_out),
        cache=cache,
        left_out=left_out,
        emphasis=emphasis,
        loaded=loaded,
        tables=_tables(config, loaded),
        state=state,
        accelerator=accelerator,
        objective=objective,
        optimizer=optimizer,
        together=together,
    )


def _begun(config: TrainConfig, resumed: Path | None) -> TrainConfig:
    """Let a run that began from a checkpoint go on from its own, which knows the dataset's names and statistics."""
    if resumed is None or config.policy_path is None:
        return config
    own = resumed.parent / checkpoint.PRETRAINED
    return replace(config, policy_path=own, normalization="checkpoint", rename_map={})


def _check_steps(config: TrainConfig, policy: Policy) -> None:
    before = policy.num_updates_before_acting() if isinstance(policy, LearnsInPhases) else 0
    if config.steps is not None and 0 < config.steps <= before:
        raise ConfigError(
            f"steps ({config.steps}) should be more than {before}: the policy's first {before} updates do not yet "
            "learn to act. Take more steps, or lower --policy.n_vqvae_training_steps."
        )


def _state(config: TrainConfig, loaded: LoadedPolicy, resumed: Path | None) -> states.State:
    assert isinstance(loaded.policy, nn.Module)
    device = torch.device(loaded.device)
    bf16 = states.used_bf16(resumed) if resumed else uses_bf16(config.bf16, device)
    rises = {
        "ramp": ramp,
        "power": power_law(config.ema.power, config.ema.inv_gamma),
        "constant": lambda _: config.ema.decay,
    }
    state = states.State(
        policy=loaded.policy,
        optimizer=optimizer(loaded.policy, config),
        ema=Ema(loaded.policy, config.ema.decay, rises[config.ema.law]) if config.ema.decay else None,
        bf16=parallel.first_says(bf16, device),
        samples_per_step=config.batch_size * config.grad_accum_steps * parallel.num_processes(),
    )
    if resumed:
        states.restore(resumed, state)
    return state


def _emphasis(config: TrainConfig, dataset: Dataset) -> np.ndarray | None:
    how = config.emphasis
    if how.is_none:
        return None
    return grip_weights(dataset, grasp=how.grasp, release=how.release, before_s=how.before_s)


def _sampler(
    config: TrainConfig,
    dataset: Dataset,
    episodes: Episodes,
    state: states.State,
    *,
    left_out: np.ndarray | None,
    emphasis: np.ndarray | None,
) -> Sampler:
    """Give the sampler as it stands after the updates made so far."""
    drawn = state.step * state.samples_per_step
    how = Draw(
        seed=config.seed,
        is_streamed=config.streaming,
        drop_n_last=config.policy.drop_n_last_frames,
        weights=config.sample_weights,
    )
    return sampler_of(dataset, episodes, how, left_out=left_out, emphasis=emphasis, drawn=drawn)


def _windows(
    config: TrainConfig, dataset: Dataset, keys: list[str], cache: FrameCache | None, left_out: np.ndarray | None
) -> Windows:
    size = config.policy.image_size
    return Windows(dataset, config.policy.window, keys, image_size=size, cache=cache, left_out=left_out)


def _tables(config: TrainConfig, loaded: LoadedPolicy) -> Tables:
    is_here = torch.device(loaded.device).type == "cpu"  # elsewhere bytes are what is carried over
    return Tables.of(loaded.pipeline, loaded.observation, config.augment) if is_here else Tables()


def _cache(config: TrainConfig) -> FrameCache | None:
    if config.cache_gb == 0:
        return None
    return FrameCache(max_bytes=None if config.cache_gb is None else int(1e9 * config.cache_gb))
