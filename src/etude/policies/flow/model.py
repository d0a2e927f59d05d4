"""The network: tokens of what was seen, beside which noise becomes a chunk of actions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from etude.core.frame import ACTION, images
from etude.core.spec import Spec, Specs
from etude.nn.diffusion_transformer import Memory
from etude.nn.heads.flow import TimeLaw, flow_loss, mixed, velocity_of
from etude.nn.heads.integrate import Given, Guide, even_grid, integrate
from etude.nn.losses import masked_mse
from etude.policies.denoising import encoder_of, guide_of, noise_of, old_chunk, transformer_of
from etude.policies.flow.config import Config
from etude.policies.policy import Batch
from etude.policies.realtime import RealTime
from etude.policies.seeing import observed, observed_width, read_pretrained

IS_PAD = f"{ACTION}_is_pad"
TIME_SCALE = 1000.0
"""The network's sines tell apart whole numbers, as steps of diffusion are; time is a share."""


def build(config: Config, observation: Specs, action: Spec) -> FlowPolicy:
    """Build the network for a robot's specs, with random weights."""
    return FlowPolicy(config, observation, action)


class FlowPolicy(nn.Module):
    """Makes chunks of actions of noise, by the straightest way."""

    def __init__(self, config: Config, observation: Specs, action: Spec) -> None:
        super().__init__()
        self.config, self.cameras, self._num_joints = config, images(observation), action.shape[0]
        self.rgb_encoder = encoder_of(config, observation)
        width = observed_width(config, observation)
        self.transformer = transformer_of(config, self._num_joints, width, is_causal=False)
        self._law = TimeLaw(
            kind=config.timestep_sampling_strategy,
            alpha=config.timestep_sampling_alpha,
            beta=config.timestep_sampling_beta,
            scale=config.timestep_sampling_s,
            is_stratified=config.timestep_sampling_stratified,
        )

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean squared error of what the network tells of chunks, each with a share of noise of its own.

        With `rtc_max_delay` a chunk's first actions may be given as they are, and only the rest is learned.
        """
        draws = self.config.num_noise_draws
        seen = observed(batch, self.cameras, self.rgb_encoder).repeat_interleave(draws, 0)
        clean = batch[ACTION].repeat_interleave(draws, 0)
        noise, time = torch.randn_like(clean), self._law.draw(len(clean), device=clean.device)[:, None]
        left_out = batch[IS_PAD].repeat_interleave(draws, 0) if self._is_masked(batch) else None
        if self.config.rtc_max_delay:
            given = self._given(clean)
            time = time.masked_fill(given, 0.0)
            left_out = given if left_out is None else given | left_out
        values = mixed(clean, noise, time)
        told = self.transformer(values, time * TIME_SCALE, seen)
        if self.config.prediction_type == "sample":
            loss = masked_mse(told.float(), clean, left_out)
        else:
            loss = flow_loss(told, clean, noise, left_out)
        return loss, {"mse": loss.detach()}

    def act(self, batch: Batch) -> Tensor:
        """Give chunks (batch, time, action) from this frame's on, normalised as the batch is.

        They are made of `noise` (batch, horizon, action), where the batch has it.
        """
        return self._made(batch)

    def go_on(self, batch: Batch, realtime: RealTime) -> Tensor:
        """Give chunks that go on from `prefix`, see `Continuing`; given actions are as many as were learned at most."""
        old = old_chunk(batch, realtime, total=self.config.horizon, most=self._most_given(realtime))
        if realtime.mode == "trained":
            return self._made(batch, given=old.given)
        return self._made(batch, guide=guide_of(old, realtime))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let the transformer's matrices decay, and nothing else."""
        shared = {"lr": self.config.optimizer_lr, "betas": self.config.optimizer_betas}
        matrices, vectors = self.transformer.decay_groups()
        groups = [
            shared | {"params": matrices, "weight_decay": self.config.optimizer_weight_decay},
            shared | {"params": vectors, "weight_decay": 0.0},
        ]
        if self.rgb_encoder is not None:
            groups.append(shared | {"params": list(self.rgb_encoder.parameters()), "weight_decay": 0.0})
        return groups

    def begin_training(self) -> None:
        """Read the picture encoders' pretrained weights, where there are some."""
        read_pretrained(self, self.config.pretrained_backbone_weights)

    def _made(self, batch: Batch, *, given: Given | None = None, guide: Guide | None = None) -> Tensor:
        config, seen = self.config, observed(batch, self.cameras, self.rgb_encoder)
        memory = self.transformer.remember(seen)
        return integrate(
            lambda values, time: self._velocity(values, time, memory),
            noise_of(batch, seen, config.horizon, self._num_joints),
            even_grid(config.num_integration_steps),
            method=config.integration_method,
            given=given,
            guide=guide,
        )

    def _velocity(self, values: Tensor, time: Tensor, memory: Memory) -> Tensor:
        told = self.transformer.denoise(values, time * TIME_SCALE, memory)
        return told if self.config.prediction_type == "velocity" else velocity_of(values, told, time)

    def _given(self, clean: Tensor) -> Tensor:
        """Draw how many actions of each chunk are given, from none to the most: (batch, time)."""
        delay = torch.randint(0, self.config.rtc_max_delay + 1, (len(clean), 1), device=clean.device)
        return torch.arange(clean.shape[1], device=clean.device)[None] < delay

    def _most_given(self, realtime: RealTime) -> int | None:
        return self.config.rtc_max_delay if realtime.mode == "trained" else None

    def _is_masked(self, batch: Batch) -> bool:
        return self.config.do_mask_loss_for_padding and IS_PAD in batch
