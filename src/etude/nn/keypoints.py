"""Where in a picture something is, as coordinates (Finn et al., 2016)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class SpatialSoftmax(nn.Module):
    """Maps (batch, channel, height, width) to keypoints (batch, keypoint, 2): x and y from -1 to 1.

    Each keypoint is the centre of a softmax over the places of its own map. Tensor names are LeRobot's.
    """

    pos_grid: Tensor

    def __init__(self, channels: int, height: int, width: int, num_keypoints: int) -> None:
        super().__init__()
        self.nets = nn.Conv2d(channels, num_keypoints, 1)
        # NumPy's, since PyTorch's linspace differs in the last bit, and trained weights know the difference.
        x, y = np.meshgrid(np.linspace(-1.0, 1.0, width), np.linspace(-1.0, 1.0, height))
        grid = np.stack([x.reshape(-1), y.reshape(-1)], 1).astype(np.float32)
        self.register_buffer("pos_grid", torch.from_numpy(grid))

    def forward(self, maps: Tensor) -> Tensor:
        """Give the keypoints."""
        return self.nets(maps).flatten(2).softmax(-1) @ self.pos_grid
