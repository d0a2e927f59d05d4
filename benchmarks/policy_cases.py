"""The policies that both programs are measured on: made by Etude, and exported so that LeRobot has the very same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from etude.core.frame import ACTION, ENVIRONMENT_STATE, STATE, example
from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.data import create_dataset
from etude.policies import checkpoint, lerobot, policies
from etude.policies.loaded import LoadedPolicy

ARM = Spec(shape=(6,), names=tuple("abcdef"))
THINGS = Spec(shape=(8,))
CAMERAS = ("observation.images.front", "observation.images.wrist")
EPISODES, LENGTH, FPS = 10, 300, 30


@dataclass(frozen=True, kw_only=True)
class Case:
    """One policy, what it sees, and how much better Etude should be."""

    kind: str
    bar: float
    """Times the peer's work for one second of the processor."""
    size: tuple[int, int] = (0, 0)
    """Height and width of the two cameras' pictures; none without cameras."""
    changes: dict[str, Any] = field(default_factory=dict[str, Any])
    """What is not as in LeRobot's own defaults."""
    batch: int = 8
    repeats: int = 1
    """Times that the work is done in a round."""

    @property
    def specs(self) -> Specs:
        """What the policy sees."""
        seen = {STATE: ARM}
        if not self.size[0]:
            return seen | {ENVIRONMENT_STATE: THINGS}
        return seen | dict.fromkeys(CAMERAS, Spec(shape=(*self.size, 3), dtype="uint8"))


OLD_DIFFUSION = {"crop_shape": (84, 84)}
SMALL_ACT = {"dim_model": 128, "n_heads": 4, "dim_feedforward": 512, "n_encoder_layers": 2, "n_vae_encoder_layers": 2}
DDIM = OLD_DIFFUSION | {"noise_scheduler_type": "DDIM", "num_inference_steps": 10}
TRAINING = {
    "act_96x96": Case(kind="act", bar=2, size=(96, 96)),
    "act_state_only": Case(kind="act", bar=5, changes=SMALL_ACT, repeats=20),
    "diffusion_96x96": Case(kind="diffusion", bar=2, size=(96, 96), changes=DDIM),
}
INFERENCE = {
    "act_640x480": Case(kind="act", bar=1.6, size=(480, 640), repeats=2),
    "diffusion_ddim_10": Case(kind="diffusion", bar=2, size=(96, 96), changes=DDIM),
    "diffusion_ddim_10_half_weights": Case(
        kind="diffusion", bar=2, size=(96, 96), changes=DDIM | {"half_weights": True}
    ),
}


def make(case: Case, folder: Path) -> None:
    """Write the policy in both layouts, a frame, a normalised batch, and for a policy without cameras a dataset."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    config = policies.config(case.kind)(**case.changes)
    numbers = {key: spec for key, spec in (*case.specs.items(), (ACTION, ARM)) if not spec.is_image}
    stats = {key: Stats.of(random.standard_normal((50, *spec.shape))) for key, spec in numbers.items()}
    stats |= {key: Stats.of(random.random((50, 3, 1, 1))) for key in CAMERAS}
    loaded = LoadedPolicy(
        policy=policies.build(config, case.specs, ARM),
        config=config,
        pipeline=config.pipeline(stats, case.specs, ARM),
        observation=case.specs,
        action=ARM,
    )
    checkpoint.save(folder / "etude", loaded)
    lerobot.export(loaded, folder / "lerobot")
    np.savez(folder / "frame.npz", **example(case.specs, random), **loaded.example_noise(random))
    np.savez(folder / "batch.npz", **_batch(case, loaded, random))
    (folder / "batch_size").write_text(json.dumps(case.batch))
    if not case.size[0]:
        _record(folder / "dataset", case.specs, random)


def _batch(case: Case, loaded: LoadedPolicy, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw what the network gets in training, normalised already."""
    window, batch = loaded.config.window, {}
    for key, spec in (*case.specs.items(), (ACTION, ARM)):
        times = (len(window.of(key)),) if window.of(key) else ()
        shape = (3, *spec.shape[:2]) if spec.is_image else spec.shape
        batch[key] = random.standard_normal((case.batch, *times, *shape)).astype(np.float32)
    return batch | {f"{ACTION}_is_pad": np.zeros(batch[ACTION].shape[:2], bool)}


def _record(root: Path, specs: Specs, random: np.random.Generator) -> None:
    writer = create_dataset(root, {**specs, ACTION: ARM}, fps=FPS)
    for _ in range(EPISODES):
        for _ in range(LENGTH):
            writer.add_frame(example({**specs, ACTION: ARM}, random))
        writer.save_episode("benchmark")
    writer.close()
