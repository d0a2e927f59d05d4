"""Make `pictures.npz`: what torchvision makes of a picture's colours and sharpness.

Run it where torchvision is installed: `python tests/golden/make_pictures.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("pictures.npz")
AMOUNTS = {"brightness": (0.6, 1.5), "contrast": (0.0, 0.7, 1.4), "saturation": (0.0, 0.5, 1.8),
           "hue": (-0.5, -0.05, 0.2), "sharpness": (0.0, 0.5, 1.7)}  # fmt: skip


def picture() -> np.ndarray:
    """Draw a picture (height, width, 3) in 0..1, some of it grey, black and white."""
    values = np.random.RandomState(0).random_sample((7, 9, 3)).astype(np.float32)
    values[0, :3] = [[0, 0, 0], [1, 1, 1], [0.4, 0.4, 0.4]]
    return values


def main() -> None:
    """Ask torchvision."""
    import torch
    from torchvision.transforms.v2 import functional

    given = torch.from_numpy(picture()).permute(2, 0, 1)
    answers = {}
    for name, amounts in AMOUNTS.items():
        change = getattr(functional, f"adjust_{name}")
        changed = torch.stack([change(given, amount) for amount in amounts])
        answers[name] = changed.permute(0, 2, 3, 1).numpy()
    np.savez_compressed(GOLDEN, **answers)


if __name__ == "__main__":
    main()
