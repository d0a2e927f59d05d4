"""Makes a tiny replay buffer in the layout of Diffusion Policy with zarr; the conformance tests call it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import zarr
from foreign_facts import LENGTHS, action, episode, picture, state


def main(folder: Path, *, version: int = 2) -> Path:
    """Write one group; pictures have a fraction, as those of Push-T, or are whole."""
    root = folder / "zarr_tiny.zarr"
    group = zarr.open_group(root, mode="w", zarr_format=version)
    for name, values in arrays().items():
        chunks = (4, *values.shape[1:])
        group.create_array(f"data/{name}", shape=values.shape, chunks=chunks, dtype=values.dtype)[:] = values
    ends = np.cumsum(LENGTHS)
    group.create_array("meta/episode_ends", shape=ends.shape, dtype=ends.dtype)[:] = ends
    return root


def arrays() -> dict[str, np.ndarray]:
    """Give all frames in a row."""
    numbers = range(len(LENGTHS))
    return {
        "action": np.concatenate([episode(number, action, 2) for number in numbers]).astype(np.float32),
        "state": np.concatenate([episode(number, state, 5) for number in numbers]).astype(np.float32),
        "keypoint": np.concatenate([episode(number, state, 6) for number in numbers]).reshape(-1, 3, 2),
        "img": np.concatenate([episode(number, picture) for number in numbers]).astype(np.float32),
        "wrist_rgb": np.concatenate([episode(number, picture, "wrist") for number in numbers]),
    }


def zipped(root: Path, *, inside: str = "") -> Path:
    """Pack a group into a file, at its top or in a folder `inside`."""
    path = root.with_suffix(".zarr.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for part in sorted(root.rglob("*")):
            if part.is_file():
                file.write(part, f"{inside}{part.relative_to(root).as_posix()}")
    return path
