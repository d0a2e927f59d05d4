"""What LeRobot itself does with policies; runs with a Python that has LeRobot, see `peer.py`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import rounds
import torch
from diffusers.schedulers import scheduling_ddpm
from lerobot.configs.policies import PreTrainedConfig
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.datasets.factory import resolve_delta_timestamps
from lerobot.datasets.lerobot_dataset import LeRobotDataset, LeRobotDatasetMetadata
from lerobot.policies.factory import get_policy_class, make_policy_config, make_pre_post_processors
from peer_commands import obey

Answer = dict[str, Any]


def acts(checkpoint: str, frame: str, out: str) -> Answer:
    """Load a checkpoint strictly and write the chunk that it gives for a frame, in the dataset's units.

    `frame` is an npz file with dataset keys, pictures uint8 (height, width, channel), and `noise` for a policy that
    samples; a policy that looks back sees the frame as many times.
    """
    policy, before, after = _loaded(checkpoint)
    with np.load(frame) as stored:
        np.savez(out, action=_act(policy, before, after, dict(stored)))
    return {"lerobot": version("lerobot"), "policy": policy.name}


def saves(checkpoint: str, out: str) -> Answer:
    """Load a checkpoint and save it again."""
    return _save(out, *_loaded(checkpoint))


def makes(kind: str, out: str, frame: str) -> Answer:
    """Make a small policy, otherwise with LeRobot's defaults, save it, and keep its answer to a frame beside it."""
    with np.load(frame) as stored:
        values = dict(stored)
    config = make_policy_config(kind, **SMALL[kind], device="cpu", push_to_hub=False, pretrained_backbone_weights=None)
    config.input_features = {key: _feature(value) for key, value in values.items()}
    config.output_features = {"action": PolicyFeature(FeatureType.ACTION, (7,))}
    torch.manual_seed(0)
    policy = get_policy_class(kind)(config).eval()
    before, after = make_pre_post_processors(config, dataset_stats=_stats(values))
    answer = _save(out, policy, before, after)
    if kind == "diffusion":
        length = config.horizon * config.num_train_timesteps  # DDPM adds some at all steps but the last
        values["noise"] = np.random.default_rng(2).standard_normal((length, 7)).astype(np.float32)
    np.savez(Path(out) / "answer.npz", action=_act(policy, before, after, values), **values)
    return answer


SMALL: dict[str, dict[str, Any]] = {
    "act": {"chunk_size": 6, "n_action_steps": 6, "dim_model": 32, "n_heads": 4, "dim_feedforward": 48},
    "diffusion": {"down_dims": (16, 32), "n_groups": 4, "num_train_timesteps": 10},
    "vqbet": {"gpt_n_layer": 2, "gpt_n_head": 2, "gpt_input_dim": 32, "gpt_output_dim": 32, "gpt_hidden_dim": 32,
              "gpt_block_size": 50, "crop_shape": (48, 64), "vqvae_embedding_dim": 16,
              "bet_softmax_temperature": 1e-6},
}  # fmt: skip


def trains(folder: str, threads: int = 1) -> None:
    """Be LeRobot's side of `train_step.py`."""
    torch.set_num_threads(threads)
    policy, before, _ = _ready(folder)
    preset = policy.config.get_optimizer_preset()
    optimizer = preset.build(policy.get_optim_params())
    batches = _samples(folder, policy.config, before) if (Path(folder) / "dataset").exists() else _same(folder)

    def update() -> float:
        loss, _ = policy.forward(next(batches))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), preset.grad_clip_norm)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    policy.train()
    rounds.answer({"lerobot": version("lerobot"), "torch": torch.__version__}, update)


def infers(folder: str, threads: int = 1) -> None:
    """Be LeRobot's side of `inference.py`."""
    torch.set_num_threads(threads)
    policy, before, after = _ready(folder)
    with np.load(Path(folder) / "frame.npz") as stored:
        frame = dict(stored)
    told = {"lerobot": version("lerobot"), "torch": torch.__version__}
    rounds.answer(told, lambda: _act(policy, before, after, frame))


def _ready(folder: str) -> tuple[Any, Any, Any]:
    """Load the policy that Etude exported, and leave its first chunk beside Etude's."""
    loaded = _loaded(f"{folder}/lerobot")
    with np.load(Path(folder) / "frame.npz") as stored:
        np.save(Path(folder) / "lerobot.npy", _act(*loaded, dict(stored)))
    return loaded


def _same(folder: str) -> Iterator[dict[str, torch.Tensor]]:
    with np.load(Path(folder) / "batch.npz") as stored:
        return itertools.repeat({key: torch.from_numpy(stored[key]) for key in stored.files})


def _samples(folder: str, config: Any, before: Any) -> Iterator[dict[str, torch.Tensor]]:
    """Give batches as `lerobot-train` does, but without processes beside this one, which would only cost more."""
    where = {"repo_id": "etude/peer", "root": f"{folder}/dataset"}
    timestamps = resolve_delta_timestamps(config, LeRobotDatasetMetadata(**where))
    dataset = LeRobotDataset(**where, delta_timestamps=timestamps)
    size = int((Path(folder) / "batch_size").read_text())
    loader = torch.utils.data.DataLoader(dataset, batch_size=size, shuffle=True)
    while True:
        yield from map(before, loader)


def _loaded(checkpoint: str) -> tuple[Any, Any, Any]:
    config = PreTrainedConfig.from_pretrained(checkpoint)
    config.device = "cpu"
    policy = get_policy_class(config.type).from_pretrained(checkpoint, config=config, strict=True)
    return policy, *make_pre_post_processors(config, pretrained_path=checkpoint)


def _save(out: str, policy: Any, before: Any, after: Any) -> Answer:
    for each in (policy, before, after):
        each.save_pretrained(out)
    return {"lerobot": version("lerobot"), "policy": policy.name}


def _feature(value: np.ndarray) -> PolicyFeature:
    if value.dtype != np.uint8:
        return PolicyFeature(FeatureType.STATE, value.shape)
    height, width, channels = value.shape
    return PolicyFeature(FeatureType.VISUAL, (channels, height, width))


def _stats(values: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    shapes = {key: (3, 1, 1) if value.dtype == np.uint8 else value.shape for key, value in values.items()}
    return {
        key: {
            "mean": random.standard_normal(shape), "std": 0.5 + random.random(shape),
            "min": -1 - random.random(shape), "max": 1 + random.random(shape),
        }
        for key, shape in (shapes | {"action": (7,)}).items()
    }  # fmt: skip


def _act(policy: Any, before: Any, after: Any, frame: dict[str, np.ndarray]) -> np.ndarray:
    values = {key: torch.from_numpy(value) for key, value in frame.items()}
    noise = values.pop("noise", None)
    batch = before({key: _picture(value) for key, value in values.items()})
    with torch.no_grad():
        return after(_chunk(policy, batch, noise))[0].numpy()


def _picture(value: torch.Tensor) -> torch.Tensor:
    return value.permute(2, 0, 1).float() / 255 if value.dtype == torch.uint8 else value


def _chunk(policy: Any, batch: dict[str, torch.Tensor], noise: torch.Tensor | None) -> torch.Tensor:
    """Ask for a chunk as roll-outs do, but for LeRobot's own queue of what it has seen."""
    if policy.name == "act":
        return policy.predict_action_chunk(batch)
    seen = {key: value for key, value in batch.items() if key.startswith("observation.")}
    images = [seen[key] for key in policy.config.image_features]
    stacked = {
        key: value[:, None].expand(-1, policy.config.n_obs_steps, *value.shape[1:]) for key, value in seen.items()
    }
    if images:
        joined = torch.stack(images, 1)
        stacked["observation.images"] = joined[:, None].expand(-1, policy.config.n_obs_steps, *joined.shape[1:])
    if policy.name == "diffusion":
        return _denoised(policy, stacked, noise)
    return policy.vqbet(stacked, rollout=True)


def _denoised(policy: Any, stacked: dict[str, torch.Tensor], noise: torch.Tensor | None) -> torch.Tensor:
    """Make a chunk of `noise`; what DDPM adds on the way is what `noise` goes on with, where it does."""
    if noise is None or len(noise) == policy.config.horizon:
        return policy.diffusion.generate_actions(stacked, noise=None if noise is None else noise[None])
    first, *fresh = noise[None].split(policy.config.horizon, 1)
    with mock.patch.object(scheduling_ddpm, "randn_tensor", side_effect=fresh):
        return policy.diffusion.generate_actions(stacked, noise=first)


COMMANDS: dict[str, Callable[..., Answer | None]] = {
    "acts": acts,
    "saves": saves,
    "makes": makes,
    "trains": trains,
    "infers": infers,
}


if __name__ == "__main__":
    sys.exit(obey(sys.argv[1:], COMMANDS))
