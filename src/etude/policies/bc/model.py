"""The network: each camera's map is flattened, so that places keep their order, and linear layers do the rest."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from etude.core.frame import ACTION, ENVIRONMENT_STATE, STATE, images
from etude.core.spec import Spec, Specs
from etude.nn.losses import REGRESSIONS
from etude.policies.bc.config import Config
from etude.policies.policy import Batch
from etude.policies.seeing import backbone_of, read_pretrained

IS_PAD = f"{ACTION}_is_pad"


def build(config: Config, observation: Specs, action: Spec) -> BehaviourCloning:
    """Build the network for a robot's specs, with random weights."""
    return BehaviourCloning(config, observation, action)


class BehaviourCloning(nn.Module):
    """Pomerleau's ALVINN (1989) with convolutions and chunks."""

    def __init__(self, config: Config, observation: Specs, action: Spec) -> None:
        super().__init__()
        self.config, self.cameras = config, images(observation)
        self.vectors = [key for key in (STATE, ENVIRONMENT_STATE) if key in observation]
        eyes = [backbone_of(config, nn.BatchNorm2d) for _ in self.cameras]
        self.eyes = nn.ModuleList(eyes)
        sizes = [config.image_size or observation[key].shape[:2] for key in self.cameras]
        maps = [
            eye.channels * eye.map_size(height) * eye.map_size(width)
            for eye, (height, width) in zip(eyes, sizes, strict=True)
        ]
        widths = (sum(maps) + sum(observation[key].shape[0] for key in self.vectors), *config.hidden_dims)
        layers = [
            nn.Sequential(nn.Linear(before, after), nn.ReLU(inplace=True), nn.Dropout(config.dropout))
            for before, after in itertools.pairwise(widths)
        ]
        self.body = nn.Sequential(*layers)
        self.chunk = nn.Linear(widths[-1], len(config.window.of(ACTION)) * action.shape[0])

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean error over the actions of the chunk that exist, plus that of the later ones."""
        config, error = self.config, REGRESSIONS[self.config.action_loss]
        predicted, wanted, is_pad = self._told(batch), batch[ACTION], batch.get(IS_PAD)

        def part(begin: int, end: int | None) -> Tensor:
            return error(
                predicted[:, begin:end], wanted[:, begin:end], None if is_pad is None else is_pad[:, begin:end]
            )

        near = part(0, config.chunk_size)
        if not config.look_ahead:
            return near, {config.action_loss: near.detach()}
        far = part(config.chunk_size, None)
        return near + config.look_ahead_weight * far, {config.action_loss: near.detach(), "ahead": far.detach()}

    def act(self, batch: Batch) -> Tensor:
        """Give chunks (batch, time, action), normalised as the batch is."""
        return self._told(batch)[:, : self.config.chunk_size]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give one group with one learning rate."""
        return [{"params": list(self.parameters()), "lr": self.config.optimizer_lr}]

    def begin_training(self) -> None:
        """Read the picture encoders' pretrained weights, where there are some."""
        read_pretrained(self, self.config.pretrained_backbone_weights)

    def _told(self, batch: Batch) -> Tensor:
        """Predict (batch, time, action): the chunk, then the later actions."""
        seen = [eye(batch[key]).flatten(1) for eye, key in zip(self.eyes, self.cameras, strict=True)]
        hidden = self.body(torch.cat([*seen, *(batch[key] for key in self.vectors)], 1))
        return self.chunk(hidden).unflatten(1, (len(self.config.window.of(ACTION)), -1)).float()
