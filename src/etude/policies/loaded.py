"""A policy together with all that it takes to act: its pipeline and its specs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from etude.core import frame as frames
from etude.core.errors import ConfigError, SpecMismatch
from etude.core.frame import Frame
from etude.core.spec import Spec, Specs
from etude.policies.config import PolicyConfig
from etude.policies.policy import NOISE, Continuing, Policy
from etude.policies.realtime import DELAY, PREFIX, RealTime, check_mode
from etude.policies.renaming import fed, lacking, seen
from etude.transforms.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a policy learned, and what it needs to be run as it was trained."""

    fps: float | None = None
    """Frames per second of the dataset, which is the control rate to run at."""
    robot_type: str | None = None
    tasks: tuple[str, ...] = ()
    """Task texts of the dataset."""
    step: int = 0
    """Training steps taken."""
    dataset: str = ""
    """The dataset's folder or repository."""
    uses_degrees: bool | None = None
    """Whether joints were told in degrees, or else in -100 to 100 of their range; none where that is not known."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedPolicy:
    """A policy that is asked with frames in a robot's units, and answers in them."""

    policy: Policy
    config: PolicyConfig
    pipeline: Pipeline
    observation: Specs
    action: Spec
    origin: Origin = field(default_factory=Origin)
    device: str = "cpu"
    realtime: RealTime | None = None
    """How chunks go on from the old one that a frame tells of; none where they do not."""

    @property
    def n_action_steps(self) -> int:
        """Actions of a chunk to play before asking again."""
        return self.config.n_action_steps

    @property
    def seen(self) -> Specs:
        """What reaches the network, by the names it knows; `observation` has those of the robot or dataset."""
        return seen(self.pipeline, self.observation)

    def fed_by(self, rename_map: Mapping[str, str]) -> LoadedPolicy:
        """Give the policy for a robot or dataset with other names; `rename_map` leads from those to the policy's."""
        pipeline, observation = fed(self.pipeline, self.observation, rename_map)
        return replace(self, pipeline=pipeline, observation=observation)

    def going_on(self, realtime: RealTime) -> LoadedPolicy:
        """Give the policy that makes its chunks go on from the old one; raise `ConfigError` if it cannot."""
        check_mode(realtime.mode, self.config)
        return replace(self, realtime=realtime)

    @property
    def chunk_size(self) -> int:
        """Actions of a chunk, from this tick's on; a policy may learn from more than it gives."""
        given: int | None = getattr(self.config, "chunk_size", None)
        return given or sum(offset >= 0 for offset in self.config.window.offsets[frames.ACTION])

    @property
    def temporal_ensemble_coeff(self) -> float | None:
        """Weight law by which it was meant to have its chunks blended; none plays the newest."""
        return getattr(self.config, "temporal_ensemble_coeff", None)

    @property
    def past(self) -> tuple[int, ...]:
        """Ticks it looks at, such as (-1, 0); none for this tick alone."""
        return self.config.window.past

    def example_noise(self, rng: np.random.Generator) -> Frame:
        """Make the noise that a policy which samples takes, as a frame; an empty one for a policy that does not."""
        if not self.config.num_noise:
            return {}
        done = seen(self.pipeline, {frames.ACTION: self.action})[frames.ACTION]
        number = self.config.num_noise + getattr(self.config, "num_fresh_noise", 0)
        return {NOISE: rng.standard_normal((number, *done.shape)).astype(np.float32)}

    def act(self, frame: Frame) -> np.ndarray:
        """Give a chunk (time, action), float32, in the dataset's units; raise `SpecMismatch` for a wrong frame.

        A policy that looks back takes entries with an axis of time, or repeats those without. A policy that samples
        takes `noise` (num_noise, action) to make the chunk of, or draws it. One that goes on from an old chunk takes
        what is left of it, `prefix` (time, action) in the dataset's units, and `delay`, 0 if there is none.
        """
        frame = self.timed(frame)
        frames.check({key: self._accepted(spec, frame.get(key)) for key, spec in self.observation.items()}, frame)
        seen = {key: frame[key] for key in (*self.observation, NOISE, PREFIX, DELAY) if key in frame}
        chunk = self.act_batch({key: value[None] for key, value in seen.items()})
        return chunk[0]

    def timed(self, frame: Frame) -> Frame:
        """Give a frame whose entries have the axis of time that the policy looks back on."""
        return {key: self._repeated(value, self.observation.get(key)) for key, value in frame.items()}

    def act_batch(self, batch: Frame) -> np.ndarray:
        """Give chunks (batch, time, action) for stacked frames, whose pictures may be resized already."""
        inputs = self.pipeline.encode(batch)
        if PREFIX in batch:
            inputs |= self._old_chunk(batch)
        keys = [key for key in (*self.seen, NOISE, PREFIX, DELAY) if key in inputs]
        tensors = {key: torch.from_numpy(np.ascontiguousarray(inputs[key])).to(self.device) for key in keys}
        assert isinstance(self.policy, nn.Module)
        was_training = self.policy.training
        self.policy.eval()
        chunk = self._asked(tensors).float().cpu().numpy()
        self.policy.train(was_training)
        return self.pipeline.decode(batch, chunk).astype(np.float32)

    def _old_chunk(self, batch: Frame) -> Frame:
        """Give what is left of the old chunk as the network knows actions, seen from where the robot is now."""
        left = batch[PREFIX]
        if self.realtime is None:
            raise ConfigError(f"There is a '{PREFIX}', but no rtc.mode says how to go on from it.")
        if left.shape[-1:] != self.action.shape or left.ndim != 3:
            raise SpecMismatch(PREFIX, f"[time, {self.action.shape[0]}]", str(list(left.shape[1:])))
        delay = batch.get(DELAY, np.zeros(len(left), np.int64))
        return {PREFIX: self.pipeline.encode_actions(batch, left).astype(np.float32), DELAY: delay}

    def _asked(self, tensors: dict[str, Tensor]) -> Tensor:
        if self.realtime is None or PREFIX not in tensors:
            with torch.inference_mode():
                return self.policy.act(tensors)
        assert isinstance(self.policy, Continuing)
        with torch.no_grad():  # not inference mode: guidance may want a gradient on the way
            return self.policy.go_on(tensors, self.realtime)

    def check_fits(self, observation: Specs, action: Spec, where: str = "the robot or environment") -> None:
        """Raise `ConfigError` or `SpecMismatch` unless what `where` has is what this policy was made for."""
        problem = lacking(self.observation, observation, where)
        if problem:
            raise ConfigError(f"{problem[0].upper()}{problem[1:]}")
        for key, spec in self.observation.items():
            _same(key, self._accepted(spec, observation[key]), observation[key])
        _same(frames.ACTION, self.action, action)

    def _repeated(self, value: np.ndarray, spec: Spec | None) -> np.ndarray:
        """Give an entry its axis of time, where the policy looks back and the entry is of one instant."""
        if not self.past or spec is None or value.ndim != len(spec.shape):
            return value
        return np.broadcast_to(value, (len(self.past), *value.shape))

    def _accepted(self, spec: Spec, got: Spec | np.ndarray | None) -> Spec:
        """Say what will do for `spec`: where the pipeline resizes pictures, they may come in any size."""
        if self.past and isinstance(got, np.ndarray):
            spec = replace(spec, shape=(len(self.past), *spec.shape))
        is_resized = spec.is_image and self.config.image_size is not None
        if not is_resized or got is None or len(got.shape) != len(spec.shape):
            return spec
        return replace(spec, shape=(*got.shape[:-1], spec.shape[-1]))


def _same(key: str, wanted: Spec, got: Spec) -> None:
    if wanted.shape != got.shape or wanted.dtype != got.dtype:
        raise SpecMismatch(key, str(wanted), str(got))
    if wanted.names and got.names and wanted.names != got.names:
        raise SpecMismatch(key, f"joints in the order {', '.join(wanted.names)}", ", ".join(got.names))
