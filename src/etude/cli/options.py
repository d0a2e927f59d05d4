"""Options that several commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from etude.core.errors import UserError
from etude.policies.realtime import Mode, RealTime

if TYPE_CHECKING:
    from etude.core.clock import Clock
    from etude.policies.loaded import LoadedPolicy
    from etude.rollout.policy_agent import PolicyAgent

EVALUATION_SEEDS = 1_000_000_000
"""Scenes from here on are kept for evaluation; recording uses those below."""
COACHING_SEEDS = 2_000_000_000
"""Scenes from here on are those that skills are coached in."""


def spare_a_core() -> int:
    """Count the processor's cores but one.

    Threads that compute together wait for the slowest: where another program takes one of two cores, two threads are
    slower than one, and on an idle machine hardly faster (`benchmarks/threads.py`).
    """
    return max(1, (os.cpu_count() or 1) - 1)


def open_policy(path: Path, device: str, rename_map: str = "") -> LoadedPolicy:
    """Load a policy to act with, on all cores but one; `rename_map` leads from the robot's keys to the policy's."""
    import torch

    from etude.cli.renames import renames
    from etude.policies.checkpoint import load

    torch.set_num_threads(spare_a_core())
    return load(path, device=device).fed_by(renames(rename_map))


@dataclass(frozen=True, kw_only=True)
class Rtc(RealTime):
    """Real-time chunking: a new chunk goes on from the one that is being played."""

    mode: Mode | Literal["none"] = "none"
    """`guided`, `inpainting`, or `trained` for a policy that learned it; see docs/guides/running-a-policy.md."""

    @property
    def values(self) -> RealTime | None:
        """What the policy is told; none where chunks do not go on."""
        if self.mode == "none":
            return None
        return RealTime(**{name: getattr(self, name) for name in RealTime.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class TrainedPolicy:
    """A trained policy, and how its chunks of actions are played."""

    path: Path
    """Its checkpoint folder: Etude's or LeRobot's."""
    replan: int = 0
    """Actions played of each chunk before a new one is asked for; 0: as the checkpoint says, or 1 with ensembling."""
    temporal_ensemble_coeff: float | Literal["off"] | None = None
    """Average what all chunks have for a tick by exp(-coeff * place), oldest first; none: as the checkpoint says."""
    delay: int | None = None
    """Ticks that a chunk takes to compute while the old one goes on. None: no time in simulation; with a real clock the
    loop waits for each chunk, or with rtc.mode goes on for as long as chunks are measured to take."""
    rtc: Rtc = field(default_factory=Rtc)
    """Real-time chunking."""

    def __post_init__(self) -> None:
        if self.replan < 0:
            raise UserError(f"--policy.replan should be at least 1, or 0 for the checkpoint's own, got {self.replan}.")
        if self.delay is not None and self.delay < 0:
            raise UserError(f"--policy.delay should be at least 0 ticks, got {self.delay}.")
        if self.rtc.mode != "none" and isinstance(self.temporal_ensemble_coeff, float | int):
            raise UserError(
                "--policy.rtc.mode and --policy.temporal_ensemble_coeff are two ways to join chunks; choose one."
            )


def agent_of(
    loaded: LoadedPolicy, options: TrainedPolicy, *, hz: float = 0.0, clock: Clock | None = None
) -> PolicyAgent:
    """Make the agent that plays a policy's chunks as `options` say, at `hz` by `clock`; raise `UserError` if it cannot.

    Without a clock, and on one that is simulated, a chunk takes exactly `delay` ticks; on the wall's it takes what it
    takes, in a thread.
    """
    from etude.core.clock import RealClock
    from etude.rollout.policy_agent import PolicyAgent
    from etude.rollout.thinking import InThread, InTicks

    realtime = options.rtc.values
    policy = loaded.going_on(realtime) if realtime else loaded
    coeff = None if realtime else _coefficient(loaded, options)
    delay, is_real = options.delay or 0, isinstance(clock, RealClock)
    replan = options.replan or (1 if coeff is not None else loaded.n_action_steps)
    if replan > loaded.chunk_size:
        raise UserError(
            f"--policy.replan = {replan} is more than the {loaded.chunk_size} actions of this policy's chunks."
        )
    _check_delay(delay, loaded, options.rtc)
    if is_real and (delay or (realtime and options.delay is None)):
        thinking = InThread(policy, hz, options.delay)
    else:
        thinking = InTicks(policy, delay)
    return PolicyAgent(policy, replan=replan, ensemble_coeff=coeff, thinking=thinking, continues=realtime is not None)


def _check_delay(delay: int, loaded: LoadedPolicy, rtc: Rtc) -> None:
    learned = getattr(loaded.config, "rtc_max_delay", 0)
    if rtc.mode == "trained" and delay > learned:
        raise UserError(
            f"--policy.delay = {delay} is more than the {learned} actions that this policy learned to go on from "
            "(rtc_max_delay). Use --policy.rtc.mode=guided, or train it with a larger rtc_max_delay."
        )
    if delay >= loaded.chunk_size:
        raise UserError(
            f"--policy.delay = {delay} is more than a chunk of {loaded.chunk_size} actions lasts; the most is "
            f"{loaded.chunk_size - 1}."
        )


def _coefficient(loaded: LoadedPolicy, options: TrainedPolicy) -> float | None:
    """Give the law of temporal ensembling: the command's, else the checkpoint's."""
    asked = options.temporal_ensemble_coeff
    if asked == "off":
        return None
    return loaded.temporal_ensemble_coeff if asked is None else float(asked)
