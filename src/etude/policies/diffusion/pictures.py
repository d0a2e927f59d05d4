"""Pictures as a few places in them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from etude.nn.conv import SmallEncoder
from etude.nn.keypoints import SpatialSoftmax
from etude.nn.resnet import ResNet, group_norm
from etude.policies.diffusion.config import Config


class PictureEncoder(nn.Module):
    """Pictures (batch, 3, height, width) in 0..1 or normalised, of `size`, to (batch, 2 * keypoint).

    They are resized, cropped, anywhere in training and in the middle when acting, and encoded.
    """

    def __init__(self, config: Config, size: tuple[int, int]) -> None:
        super().__init__()
        self._resize, self._crop, self._is_random = config.resize_shape, config.crop_shape, config.crop_is_random
        self.backbone = _backbone(config)
        height, width = (self.backbone.map_size(pixels) for pixels in config.seen_size or size)
        num_keypoints = config.spatial_softmax_num_keypoints
        self.pool = SpatialSoftmax(self.backbone.channels, height, width, num_keypoints)
        self.out = nn.Linear(2 * num_keypoints, 2 * num_keypoints)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give the code."""
        if self._resize and tuple(pictures.shape[-2:]) != self._resize:
            pictures = nn.functional.interpolate(pictures, self._resize, mode="bilinear", antialias=True)
        if self._crop:
            is_random = self.training and self._is_random
            pictures = (random_crop if is_random else centre_crop)(pictures, self._crop)
        return torch.relu(self.out(self.pool(self.backbone(pictures)).flatten(1)))


def _backbone(config: Config) -> ResNet | SmallEncoder:
    if config.vision_backbone == "small":
        return SmallEncoder()
    return ResNet(config.vision_backbone, group_norm if config.use_group_norm else nn.BatchNorm2d)


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
