"""The network: what was seen becomes one vector per time, on condition of which noise becomes a chunk of actions.

Tensor names are LeRobot's without their `diffusion.` prefix, but for those of the picture encoder's layers. LeRobot has
no transformer; its names are the original's, below `transformer.`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from etude.core.frame import ACTION, images
from etude.core.spec import Spec, Specs
from etude.nn.heads.diffusion import Denoiser, Diffusion
from etude.nn.heads.integrate import Guide
from etude.nn.losses import masked_mse
from etude.nn.time_conv import halve
from etude.nn.unet1d import Unet1d
from etude.policies.denoising import encoder_of, guide_of, noise_of, old_chunk, transformer_of
from etude.policies.diffusion.config import Config
from etude.policies.policy import Batch
from etude.policies.realtime import RealTime
from etude.policies.seeing import observed, observed_width, read_pretrained

IS_PAD = f"{ACTION}_is_pad"


def build(config: Config, observation: Specs, action: Spec) -> DiffusionPolicy:
    """Build the network for a robot's specs, with random weights."""
    return DiffusionPolicy(config, observation, action)


class DiffusionPolicy(nn.Module):
    """Makes chunks of actions of noise (Chi et al., 2023)."""

    def __init__(self, config: Config, observation: Specs, action: Spec) -> None:
        super().__init__()
        self.config, self.cameras, self._num_joints = config, images(observation), action.shape[0]
        self.rgb_encoder = encoder_of(config, observation)
        width = observed_width(config, observation)
        if config.denoiser == "transformer":
            self.transformer = transformer_of(config, self._num_joints, width, is_causal=config.causal_attn)
        else:
            self.unet = _unet(config, self._num_joints, width * config.n_obs_steps)
            if config.half_weights:
                halve(self.unet)
        self._diffusion = Diffusion(
            num_steps=config.num_train_timesteps,
            law=config.beta_schedule,
            beta_start=config.beta_start,
            beta_end=config.beta_end,
            predicts=config.prediction_type,
            clip=config.clip_sample_range if config.clip_sample else None,
            spacing=config.timestep_spacing,
        )

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean squared error of what the network tells of chunks with noise added, each up to a step of its own."""
        clean, seen = batch[ACTION], observed(batch, self.cameras, self.rgb_encoder)
        noise = torch.randn_like(clean)
        step = torch.randint(0, self.config.num_train_timesteps, (len(clean),), device=clean.device)
        noisy = self._diffusion.add(clean, noise, step)
        if self.config.denoiser == "transformer":
            told = self.transformer(noisy, step, seen)
        else:
            told = self.unet(noisy, step, seen.flatten(1))
        is_pad = batch.get(IS_PAD) if self.config.do_mask_loss_for_padding else None
        loss = masked_mse(told.float(), self._diffusion.target(clean, noise, step), is_pad)
        return loss, {"mse": loss.detach()}

    def act(self, batch: Batch) -> Tensor:
        """Give chunks (batch, time, action) from this frame's on, normalised as the batch is.

        They are made of `noise` (batch, horizon, action), where the batch has it; what follows in it is what DDPM adds.
        """
        return self._made(batch)

    def go_on(self, batch: Batch, realtime: RealTime) -> Tensor:
        """Give chunks that go on from `prefix`, see `Continuing`."""
        old = old_chunk(batch, realtime, total=self.config.horizon, before=self.config.n_obs_steps - 1)
        return self._made(batch, guide_of(old, realtime))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give one group; matrices of a transformer decay more than others, and its vectors not at all."""
        config = self.config
        shared = {"lr": config.optimizer_lr, "betas": config.optimizer_betas, "eps": config.optimizer_eps}
        shared["weight_decay"] = config.optimizer_weight_decay
        if config.denoiser == "unet":
            return [shared | {"params": list(self.parameters())}]
        matrices, vectors = self.transformer.decay_groups()
        groups = [
            shared | {"params": matrices, "weight_decay": config.transformer_weight_decay},
            shared | {"params": vectors, "weight_decay": 0.0},
        ]
        if self.rgb_encoder is not None:
            groups.append(shared | {"params": list(self.rgb_encoder.parameters())})
        return groups

    def begin_training(self) -> None:
        """Read the picture encoders' pretrained weights, where there are some."""
        read_pretrained(self, self.config.pretrained_backbone_weights)

    def _made(self, batch: Batch, guide: Guide | None = None) -> Tensor:
        seen = observed(batch, self.cameras, self.rgb_encoder)
        given = noise_of(batch, seen, self.config.horizon, self._num_joints)
        noise, *fresh = given.split(self.config.horizon, 1)
        chunk = self._diffusion.sample(
            self._denoiser(seen),
            noise,
            fresh=fresh,
            num_steps=self.config.num_inference_steps,
            sampler=self.config.noise_scheduler_type,
            guide=guide,
        )
        return chunk[:, self.config.n_obs_steps - 1 :]

    def _denoiser(self, seen: Tensor) -> Denoiser:
        """Prepare what stays the same in all steps, and give what takes noise away on condition of it."""
        steps = self._diffusion.steps(self.config.num_inference_steps)
        place, asked = {step: number for number, step in enumerate(steps)}, torch.tensor(steps, device=seen.device)
        if self.config.denoiser == "transformer":
            memory = self.transformer.remember(seen)
            return lambda noisy, step: self.transformer.denoise(noisy, asked[place[step]].expand(len(noisy)), memory)
        films = self.unet.prepare(asked, seen.flatten(1))
        return lambda noisy, step: self.unet.denoise(noisy, [told[place[step]] + of_seen for told, of_seen in films])


def _unet(config: Config, channels: int, condition: int) -> Unet1d:
    return Unet1d(
        channels,
        condition,
        widths=config.down_dims,
        kernel_size=config.kernel_size,
        num_groups=config.n_groups,
        step_dim=config.diffusion_step_embed_dim,
        scales=config.use_film_scale_modulation,
    )
