"""The network: what was seen becomes one vector, on condition of which noise becomes a chunk of actions.

Tensor names are LeRobot's without their `diffusion.` prefix, but for those of the picture encoder's layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from etude.core.frame import ACTION, ENVIRONMENT_STATE, STATE, images
from etude.core.spec import Spec, Specs
from etude.nn.heads.diffusion import Diffusion
from etude.nn.losses import masked_mse
from etude.nn.unet1d import Unet1d
from etude.policies.diffusion.config import Config
from etude.policies.diffusion.pictures import PictureEncoder
from etude.policies.policy import NOISE, Batch

IS_PAD = f"{ACTION}_is_pad"


def build(config: Config, observation: Specs, action: Spec) -> DiffusionPolicy:
    """Build the network for a robot's specs, with random weights."""
    return DiffusionPolicy(config, observation, action)


class DiffusionPolicy(nn.Module):
    """Makes chunks of actions of noise (Chi et al., 2023)."""

    def __init__(self, config: Config, observation: Specs, action: Spec) -> None:
        super().__init__()
        self.config, self.cameras, self._num_joints = config, images(observation), action.shape[0]
        width = sum(observation[key].shape[0] for key in (STATE, ENVIRONMENT_STATE) if key in observation)
        if self.cameras:
            sizes = [observation[key].shape[:2] for key in self.cameras]
            encoders = [PictureEncoder(config, (height, width)) for height, width in sizes[: self._num_encoders]]
            self.rgb_encoder = nn.ModuleList(encoders) if len(encoders) > 1 else encoders[0]
            width += len(self.cameras) * 2 * config.spatial_softmax_num_keypoints
        self.unet = Unet1d(
            self._num_joints,
            width * config.n_obs_steps,
            widths=config.down_dims,
            kernel_size=config.kernel_size,
            num_groups=config.n_groups,
            step_dim=config.diffusion_step_embed_dim,
            scales=config.use_film_scale_modulation,
        )
        self._diffusion = Diffusion(
            num_steps=config.num_train_timesteps,
            law=config.beta_schedule,
            beta_start=config.beta_start,
            beta_end=config.beta_end,
            predicts=config.prediction_type,
            clip=config.clip_sample_range if config.clip_sample else None,
        )

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean squared error of what the network tells of chunks with noise added, each up to a step of its own."""
        clean = batch[ACTION]
        noise = torch.randn_like(clean)
        step = torch.randint(0, self.config.num_train_timesteps, (len(clean),), device=clean.device)
        told = self.unet(self._diffusion.add(clean, noise, step), step, self._condition(batch))
        is_pad = batch.get(IS_PAD) if self.config.do_mask_loss_for_padding else None
        loss = masked_mse(told.float(), self._diffusion.target(clean, noise), is_pad)
        return loss, {"mse": loss.detach()}

    def act(self, batch: Batch) -> Tensor:
        """Give chunks (batch, time, action) from this frame's on, normalised as the batch is.

        They are made of `noise` (batch, horizon, action), where the batch has it.
        """
        condition = self._condition(batch)
        noise = batch.get(NOISE)
        if noise is None:
            noise = condition.new_empty(len(condition), self.config.horizon, self._num_joints).normal_()
        chunk = self._diffusion.sample(
            lambda noisy, step: self.unet(noisy, step, condition),
            noise,
            num_steps=self.config.num_inference_steps,
            sampler=self.config.noise_scheduler_type,
        )
        return chunk[:, self.config.n_obs_steps - 1 :]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give one group."""
        return [{"params": list(self.parameters()), "lr": self.config.optimizer_lr}]

    def begin_training(self) -> None:
        """Start from random weights."""

    @property
    def _num_encoders(self) -> int:
        return len(self.cameras) if self.config.use_separate_rgb_encoder_per_camera else 1

    def _condition(self, batch: Batch) -> Tensor:
        """Give all that was seen as one vector (batch, n_obs_steps * width)."""
        seen = [batch[STATE]]
        if self.cameras:
            seen.append(self._see(torch.stack([batch[key] for key in self.cameras], 2)))
        if ENVIRONMENT_STATE in batch:
            seen.append(batch[ENVIRONMENT_STATE])
        return torch.cat(seen, -1).flatten(1)

    def _see(self, pictures: Tensor) -> Tensor:
        """Encode pictures (batch, time, camera, 3, height, width) to (batch, time, code of all cameras)."""
        if isinstance(self.rgb_encoder, nn.ModuleList):
            codes = [encode(pictures[:, :, i].flatten(0, 1)) for i, encode in enumerate(self.rgb_encoder)]
            joined = torch.cat(codes, -1)
        else:
            joined = self.rgb_encoder(pictures.flatten(0, 2))
        return joined.reshape(*pictures.shape[:2], -1)
