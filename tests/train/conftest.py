from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.data.dataset import Dataset, Episodes
from etude.policies.act.config import Config
from etude.policies.weights import read_weights
from etude.train.config import Scheduler, TrainConfig
from etude.train.watchers import Watcher

# Tests run side by side; several threads each would only wait for one another.
torch.set_num_threads(1)

NAMES = ("pan", "lift", "gripper")
LENGTHS = (9, 12, 7, 10)


@dataclass(kw_only=True)
class MemoryDataset(Dataset):
    """Episodes in which the arm follows a sine and a square in the picture shows where the arm is."""

    root: Path = Path("memory")
    format: str = "memory"
    fps: int = 30
    robot_type: str | None = "so_follower"
    tasks: tuple[str, ...] = ("Wave",)
    specs: dict[str, Spec] = field(
        default_factory=lambda: {
            "observation.state": Spec(shape=(3,), names=NAMES),
            "observation.images.front": Spec(shape=(48, 64, 3), dtype="uint8"),
            "action": Spec(shape=(3,), names=NAMES),
        }
    )

    def __post_init__(self) -> None:
        self.episodes = Episodes.in_a_row(LENGTHS, lambda _: self.tasks)
        time = np.concatenate([np.arange(length) for length in LENGTHS])[:, None]
        state = (20 * np.sin(time / 3 + np.arange(3))).astype(np.float32)
        self._columns = {
            "observation.state": state,
            "action": np.roll(state, -1, axis=0),
            "task_index": np.zeros(len(state), np.int64),
        }
        self.stats = {key: Stats.of(self._columns[key]) for key in ("observation.state", "action")}
        self.stats["observation.images.front"] = Stats.of(np.random.default_rng(0).random((50, 3, 1, 1)))

    def column(self, key: str) -> np.ndarray:
        return self._columns[key]

    def fingerprint(self, key: str, number: int) -> str:
        return f"{key} {number}"

    def images(self, key: str, rows: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        height, width = size or (48, 64)
        pictures = np.zeros((len(rows), height, width, 3), np.uint8)
        place = (self._columns["observation.state"][rows, 0] / 20 + 1) / 2 * (width - 4)
        for picture, column in zip(pictures, place.astype(int), strict=True):
            picture[: height // 2, column : column + 4] = 255
        return pictures


@pytest.fixture
def dataset(monkeypatch):
    memory = MemoryDataset()
    monkeypatch.setattr("etude.train.datasets.open_dataset", lambda root: memory)
    return memory


@pytest.fixture
def config(dataset, tmp_path):
    return TrainConfig(
        datasets=(Path("memory"),),
        policy=Config.tiny(),
        output_dir=tmp_path / "run",
        steps=6,
        batch_size=8,
        scheduler=Scheduler(num_warmup_steps=2),
        holdout_episodes=1,
        save_freq=3,
        log_freq=1,
        device="cpu",
        bf16="off",
        num_threads=1,
    )


@pytest.fixture
def state_of():
    """All tensors of the training state beside a checkpoint, by name."""
    return lambda folder: read_weights(folder / "training_state" / "state.safetensors")


class StopAt(Watcher):
    """Presses Ctrl-C after an update."""

    def __init__(self, wanted):
        self.wanted = wanted

    def step(self, step, values):
        if step == self.wanted:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def stop_at():
    return StopAt
