"""Makes a tiny dataset in the layout of robomimic with h5py; the conformance tests call it."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
from foreign_facts import CAMERAS, LENGTHS, action, episode, picture, state

ENVIRONMENT = {"env_name": "Lift", "type": 1, "env_kwargs": {"robots": ["Panda"], "control_freq": 25}}
PARTS = {"robot0_eef_pos": slice(0, 3), "robot0_eef_quat": slice(3, 7), "robot0_gripper_qpos": slice(7, 9)}


def main(folder: Path) -> Path:
    """Write one file; `demo_10` comes after `demo_2`, whatever the alphabet says."""
    path = folder / "robomimic_tiny.hdf5"
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs.update(env_args=json.dumps(ENVIRONMENT), total=sum(LENGTHS))
        for number, name in enumerate(("demo_0", "demo_2", "demo_10")):
            _demonstration(data.create_group(name), number)
        file["mask/train"] = np.array([b"demo_0", b"demo_10"])
    return path


def _demonstration(group: h5py.Group, number: int) -> None:
    length = LENGTHS[number]
    group.attrs.update(num_samples=length, model_file="<mujoco/>")
    group["actions"] = episode(number, action, 7)
    group["rewards"] = np.arange(length) == length - 1
    group["dones"] = (np.arange(length) == length - 1).astype(np.int64)
    group["states"] = episode(number, state, 32)
    values = episode(number, state, 9)
    for kind in ("obs", "next_obs"):
        for name, part in PARTS.items():
            group[f"{kind}/{name}"] = values[:, part]
        group[f"{kind}/object"] = episode(number, state, 10)
        group[f"{kind}/top_depth"] = np.zeros((length, 24, 32, 1), np.float32)
        for camera in CAMERAS:
            group[f"{kind}/{camera}_image"] = episode(number, picture, camera)
