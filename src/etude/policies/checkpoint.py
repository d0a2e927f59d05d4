"""A checkpoint: a folder from which a policy can act, and a proof that it still acts as it did.

| file | holds |
|---|---|
| `config.json` | the policy's type and values |
| `model.safetensors` | weights |
| `pipeline.json`, `pipeline.safetensors` | what happens to frames and actions |
| `specs.json` | what it sees, what it does, and where it learned |
| `golden.safetensors` | one frame, and the chunk it gave when it was saved |
| `README.md` | the card |
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from etude.core import frame as frames
from etude.core.codec import decode, encode, unversioned, versioned
from etude.core.errors import CheckpointError, NoCheckpoint
from etude.core.files import write_json
from etude.core.frame import ACTION
from etude.core.run import Run
from etude.core.spec import Spec
from etude.policies import lerobot, policies
from etude.policies.card import card
from etude.policies.config import PolicyConfig
from etude.policies.devices import choose
from etude.policies.files import blamed, read_json, replacing
from etude.policies.loaded import LoadedPolicy, Origin
from etude.policies.renaming import seen
from etude.policies.weights import PICKLES, fill, read_weights, write_weights
from etude.transforms.pipeline import Pipeline

CONFIG, MODEL, SPECS, GOLDEN, CARD = "config.json", "model.safetensors", "specs.json", "golden.safetensors", "README.md"
PRETRAINED = "pretrained_model"
"""Where the policy lies in a training run's checkpoint, as in LeRobot's."""


def save(folder: Path, loaded: LoadedPolicy) -> None:
    """Write a checkpoint; it takes the place of `folder` when it is complete."""
    assert isinstance(loaded.policy, nn.Module)
    kind = policies.name_of(loaded.config)
    specs = {"observation": loaded.observation, "action": loaded.action, "origin": loaded.origin}
    with replacing(folder) as draft:
        write_json(draft / CONFIG, versioned({"type": kind} | encode(loaded.config)))
        write_weights(draft / MODEL, loaded.policy.state_dict())
        loaded.pipeline.save(draft)
        write_json(draft / SPECS, versioned(encode(specs)))
        write_weights(draft / GOLDEN, _golden(loaded))
        (draft / CARD).write_text(card(loaded, kind), encoding="utf-8")


def load(folder: Path | str, *, device: str = "cpu") -> LoadedPolicy:
    """Read a checkpoint, Etude's or LeRobot's; `folder` may also be the one that holds `pretrained_model/`.

    Raises `CheckpointError` when a file is missing, is a pickle, or does not fit the others.
    """
    place = choose(device)
    folder = find(Path(folder))
    if not (folder / SPECS).exists():
        return lerobot.load(folder, device=str(place))
    config, specs = (read_json(folder / name) for name in (CONFIG, SPECS))
    with blamed(folder):
        values = decode(policies.config(config.pop("type", "")), unversioned(config, CONFIG), where=CONFIG)
        observation = decode(dict[str, Spec], specs.get("observation"), where=SPECS)
        action, origin = decode(Spec, specs.get("action"), where=SPECS), decode(Origin, specs.get("origin"))
        pipeline = Pipeline.load(folder)
        policy = policies.build(values, seen(pipeline, observation), seen(pipeline, {ACTION: action})[ACTION])
    fill(policy, read_weights(folder / MODEL), folder / MODEL)
    return LoadedPolicy(
        policy=policy.to(place).eval(),
        config=values,
        pipeline=pipeline,
        observation=observation,
        action=action,
        origin=origin,
        device=str(place),
    )


def read_config(folder: Path | str) -> PolicyConfig:
    """Read how a checkpoint's policy is built and run."""
    return load(folder).config


def verify(folder: Path | str) -> float:
    """Ask the policy again what it was asked when it was saved; give the largest difference between the answers.

    The difference is a share of the chunk's largest action, or of 1 if that is more. Raises `CheckpointError` when
    the checkpoint holds no golden pair, as LeRobot's do not.
    """
    folder = find(Path(folder))
    if not (folder / GOLDEN).exists():
        raise CheckpointError(folder, "it holds no golden frame and chunk to compare with.")
    stored = {name: value.numpy() for name, value in read_weights(folder / GOLDEN).items()}
    then = stored.pop(ACTION)
    now = load(folder).act(stored)
    return float(np.abs(now - then).max() / max(1.0, np.abs(then).max()))


def find(folder: Path) -> Path:
    """Give the folder that holds the policy: `folder`, or the `pretrained_model/` in it."""
    for candidate in (folder, folder / PRETRAINED):
        if (candidate / CONFIG).is_file() and not Run(candidate).events.exists():
            return candidate
    for last in (folder / "checkpoints" / "last", folder / "last"):
        if last.is_dir():
            raise NoCheckpoint(folder, f"this is a training run; its last checkpoint is {last}.")
    if not folder.is_dir():
        raise NoCheckpoint(folder, "there is no such folder.")
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise CheckpointError(folder, f"{pickles[0]} is a pickle, which can run any program when it is read.")
    raise NoCheckpoint(folder, f"there is no policy's {CONFIG} here, so this is no checkpoint.")


def _golden(loaded: LoadedPolicy) -> dict[str, torch.Tensor]:
    random = np.random.default_rng(0)
    frame = frames.example(loaded.observation, random) | loaded.example_noise(random)
    pair = frame | {ACTION: loaded.act(frame)}
    return {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in pair.items()}
