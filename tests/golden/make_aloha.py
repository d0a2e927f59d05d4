"""Makes a tiny dataset in the layout of ALOHA / ACT with h5py; the conformance tests call it."""

from __future__ import annotations

from pathlib import Path

import cv2
import h5py
import numpy as np
from foreign_facts import CAMERAS, LENGTHS, action, episode, picture, state


def main(folder: Path, *, compress: bool = False) -> Path:
    """Write one file per episode, pictures raw or as padded JPEG files."""
    root = folder / "aloha_tiny"
    root.mkdir(parents=True)
    for number in range(len(LENGTHS)):
        with h5py.File(root / f"episode_{number}.hdf5", "w") as file:
            file.attrs.update(sim=True, compress=compress)
            observations = file.create_group("observations")
            observations["qpos"] = episode(number, state, 14)
            observations["qvel"] = -episode(number, state, 14)
            file["action"] = episode(number, action, 14)
            file["base_action"] = episode(number, action, 2)
            images = observations.create_group("images")
            lengths = [_film(images, name, number, compress=compress) for name in CAMERAS]
            if compress:
                file["compress_len"] = np.array(lengths)
    return root


def _film(images: h5py.Group, name: str, number: int, *, compress: bool) -> list[int]:
    pictures = episode(number, picture, name)
    if not compress:
        images.create_dataset(name, data=pictures, chunks=(1, *pictures.shape[1:]))
        return []
    files = [cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].ravel() for pixels in pictures]
    longest = max(map(len, files))
    images[name] = np.stack([np.pad(file, (0, longest - len(file))) for file in files])
    return [len(file) for file in files]
