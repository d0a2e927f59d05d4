"""What was seen at each time as one vector, for policies that look back.

Tensor names are LeRobot's `rgb_encoder`, but for those of the picture encoder's layers, which are torchvision's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from etude.core.errors import ConfigError
from etude.core.frame import ENVIRONMENT_STATE, STATE, images
from etude.core.spec import Specs
from etude.nn.conv import SmallEncoder
from etude.nn.keypoints import SpatialSoftmax
from etude.nn.resnet import Norm, ResNet, group_norm
from etude.nn.vision_models import VisionModel, described
from etude.policies.framed_config import FramedConfig, KeypointConfig
from etude.policies.inputs import is_vision_model
from etude.policies.policy import Batch
from etude.policies.weights import fill, read_weights

C = TypeVar("C", bound=Any)
_COUNT = "num_batches_tracked"


class PictureEncoder(nn.Module):
    """Pictures (..., 3, height, width) in 0..1 or normalised, of `size`, to (..., 2 * keypoint).

    They are resized, where `resize` says to what, cropped, anywhere in training and in the middle when acting, and
    encoded as a few places in them.
    """

    def __init__(self, config: KeypointConfig, size: tuple[int, int], resize: tuple[int, int] | None = None) -> None:
        super().__init__()
        self._resize, self._crop, self._is_random = resize, config.crop_shape, config.crop_is_random
        self.backbone = backbone_of(config, group_norm if config.use_group_norm else nn.BatchNorm2d)
        shown = self._resize or size
        if self._crop and not all(part <= whole for part, whole in zip(self._crop, shown, strict=True)):
            raise ConfigError(f"crop_shape {list(self._crop)} does not fit in pictures of {list(shown)}.")
        height, width = (self.backbone.map_size(pixels) for pixels in self._crop or shown)
        num_keypoints = config.spatial_softmax_num_keypoints
        self.pool = SpatialSoftmax(self.backbone.channels, height, width, num_keypoints)
        self.out = nn.Linear(2 * num_keypoints, 2 * num_keypoints)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give the code."""
        leading, flat = pictures.shape[:-3], pictures.flatten(0, -4)
        if self._resize and tuple(flat.shape[-2:]) != self._resize:
            flat = nn.functional.interpolate(flat, self._resize, mode="bilinear", antialias=True)
        if self._crop:
            is_random = self.training and self._is_random
            flat = (random_crop if is_random else centre_crop)(flat, self._crop)
        return torch.relu(self.out(self.pool(self.backbone(flat)).flatten(1))).unflatten(0, leading)


class EncoderPerCamera(nn.ModuleList):
    """Pictures (camera, ..., 3, height, width), each camera's seen by an encoder of its own."""

    def forward(self, pictures: Tensor) -> Tensor:
        """Give codes (camera, ..., 2 * keypoint)."""
        return torch.stack([encode(seen) for encode, seen in zip(self, pictures, strict=True)])


def picture_encoder(
    config: KeypointConfig, observation: Specs, *, resize: tuple[int, int] | None = None, is_separate: bool = False
) -> PictureEncoder | EncoderPerCamera | None:
    """Build what encodes the pictures of all cameras, where there are some: one for all, or one for each."""
    sizes = [config.image_size or observation[key].shape[:2] for key in images(observation)]
    if len(set(sizes)) > 1:
        told = ", ".join(f"{height} x {width}" for height, width in sizes)
        raise ConfigError(f"Cameras give pictures of several sizes ({told}); bring them to one by image_size.")
    num_encoders = len(sizes) if is_separate else 1
    encoders = [PictureEncoder(config, (height, width), resize) for height, width in sizes[:num_encoders]]
    return EncoderPerCamera(encoders) if len(encoders) > 1 else next(iter(encoders), None)


def observed_width(config: KeypointConfig, observation: Specs) -> int:
    """Count the numbers that `observed` tells of each time."""
    numbers = sum(observation[key].shape[0] for key in (STATE, ENVIRONMENT_STATE) if key in observation)
    return numbers + len(images(observation)) * 2 * config.spatial_softmax_num_keypoints


def observed(batch: Batch, cameras: Sequence[str], encode: nn.Module | None) -> Tensor:
    """Give what was seen at each time: (batch, time, state, then codes of pictures, then the environment's state)."""
    seen = [batch[STATE]] if STATE in batch else []
    if encode is not None:
        # Cameras first: joining them so keeps a picture's channels side by side in memory, where they were.
        sizes = (len(cameras), *batch[cameras[0]].shape[:2])
        seen.extend(encode(torch.cat([batch[key].flatten(0, 1) for key in cameras]).unflatten(0, sizes)))
    if ENVIRONMENT_STATE in batch:
        seen.append(batch[ENVIRONMENT_STATE])
    return torch.cat(seen, -1)


def centre_crop(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Give the middle of (batch, channel, height, width); rounded to even, as by torchvision."""
    (height, width), (tall, wide) = pictures.shape[-2:], size
    top, left = round((height - tall) / 2), round((width - wide) / 2)
    return pictures[..., top : top + tall, left : left + wide]


def random_crop(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Give the same part, anywhere, of all of (batch, channel, height, width)."""
    (height, width), (tall, wide) = pictures.shape[-2:], size
    top, left = (int(torch.randint(0, rest + 1, ())) for rest in (height - tall, width - wide))
    return pictures[..., top : top + tall, left : left + wide]


def backbone_of(config: FramedConfig, norm: Norm) -> ResNet | SmallEncoder | VisionModel:
    """Build a config's picture encoder, with random weights; `norm` is for a ResNet."""
    name = config.vision_backbone
    if is_vision_model(name):
        return VisionModel(name, config.vision_config or described(name), is_frozen=config.freeze_vision)
    return SmallEncoder() if name == "small" else ResNet(name, norm)


def settled(config: C) -> C:
    """Give a config that holds what its vision model is made of, so that a checkpoint needs nothing from elsewhere."""
    name = getattr(config, "vision_backbone", "")
    if not is_vision_model(name) or getattr(config, "vision_config", ""):
        return config
    return dataclasses.replace(config, vision_config=described(name))


def read_pretrained(policy: nn.Module, path: Path | None) -> None:
    """Read the weights that a policy's picture encoders start from: a vision model's own, or those at `path`."""
    for part in policy.modules():
        if isinstance(part, VisionModel):
            part.read_pretrained()
        elif path and isinstance(part, ResNet):
            _read_resnet(part, path)


def _read_resnet(backbone: ResNet, path: Path) -> None:
    """Start from a safetensors file with torchvision's tensor names; it may count batches, or not, whatever we do."""
    counts = {name: value for name, value in backbone.state_dict().items() if name.endswith(_COUNT)}
    stored = {name: value for name, value in read_weights(path).items() if not name.startswith("fc.")}
    kept = {name: value for name, value in stored.items() if name in counts or not name.endswith(_COUNT)}
    fill(backbone, counts | kept, path)
