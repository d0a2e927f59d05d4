"""What a recording leaves: a dataset, notes on the devices, and a run."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etude.cli.console import say
from etude.cli.options import EVALUATION_SEEDS
from etude.core.errors import DeviceError

if TYPE_CHECKING:
    from etude.cli.record import Record
    from etude.core.run import Run
    from etude.data.dataset import DatasetWriter
    from etude.data.formats.lerobot_v3.config import Config
    from etude.envs.robot_env import RobotEnv
    from etude.hardware.device import Teleoperator

MAX_FAILURES_IN_A_ROW = 10
RESUME_STRIDE = 10_007
"""Scenes between those of a recording and those of what is added to it, per episode there was."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A recording that has begun."""

    writer: DatasetWriter
    run: Run

    def finish(self, *, discarded: int, late_ticks: int = 0) -> None:
        """Tell the user, and the run's events, how it went."""
        root, episodes = self.writer.root, self.writer.num_episodes
        self.run.log("finished", dataset=str(root), episodes=episodes, discarded=discarded, late_ticks=late_ticks)
        say(f"{root} now holds {episodes} episodes ({discarded} demonstrations discarded).")
        if late_ticks:
            say(f"{late_ticks} control ticks were late: see `etude dataset check {root}`.")


@contextmanager
def recording(command: Record, env: RobotEnv, teleoperator: Teleoperator | None) -> Generator[Entry]:
    """Hold the dataset open for the length of a block; note how the connected devices are calibrated."""
    from etude.cli.parse import encode
    from etude.core.run import start
    from etude.data.units import keep_units
    from etude.rollout.provenance import keep_calibrations

    writer = _writer(command, env)
    run, root = start("record", encode(command)), command.dataset.folder
    try:
        for device in (env.robot, teleoperator):
            keep_calibrations(root, device, writer.num_episodes)
        keep_units(root, getattr(env.robot, "uses_degrees", None))
        yield Entry(writer=writer, run=run)
    finally:
        writer.close()
        _mention_drafts(root)


def first_seed(seed: int, num_episodes: int) -> int:
    """Choose the scene to go on with: a new one when more is recorded, and none that skills are scored on."""
    return (seed + RESUME_STRIDE * num_episodes) % EVALUATION_SEEDS


def check_patience(failed_in_a_row: int) -> None:
    """Raise `DeviceError` when a demonstrator fails again and again."""
    if failed_in_a_row == MAX_FAILURES_IN_A_ROW:
        raise DeviceError(f"{failed_in_a_row} demonstrations in a row failed. The saved ones are kept.")


def coding(command: Record, *, is_simulated: bool) -> Config:
    """Choose how videos are coded."""
    from etude.data.formats.lerobot_v3.config import Config

    if command.dataset.vcodec is None:
        return Config.swift() if is_simulated else Config()
    return Config(vcodec=command.dataset.vcodec)


def _writer(command: Record, env: RobotEnv) -> DatasetWriter:
    """Open the dataset."""
    from etude.data import create_dataset

    return create_dataset(
        command.dataset.folder,
        {**env.observation, "action": env.action},
        fps=command.dataset.fps,
        robot_type=env.robot.name,
        resume=command.resume,
        config=coding(command, is_simulated=env.is_simulated),
    )


def _mention_drafts(root: Path) -> None:
    from etude.data.draft import drafts

    if found := drafts(root):
        say(f"Recordings that broke off are kept ({len(found)}): `etude dataset recover {root}` shows them.")
