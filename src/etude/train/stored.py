"""The config of a run as it is stored, and whether another may go on with that run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etude.core.codec import decode, encode
from etude.core.errors import ConfigError
from etude.policies import policies
from etude.train import state as states
from etude.train.config import TrainConfig

MAY_CHANGE = {
    "output_dir", "steps", "minutes", "batch_size", "grad_accum_steps", "save_freq", "keep_checkpoints", "log_freq",
    "num_threads", "device", "bf16", "compile", "cache_gb", "policy_path",
}  # fmt: skip
"""Fields that a resumed run may have otherwise than the run that it resumes; of batches only the sum must stay."""
_MOVED = {
    "schedule": ("scheduler", "type"),
    "warmup_steps": ("scheduler", "num_warmup_steps"),
    "grad_clip_norm": ("optimizer", "grad_clip_norm"),
    "ema_decay": ("ema", "decay"),
}
"""Fields of the first runs, and the group and name that each has now."""


def stored_form(config: TrainConfig) -> dict[str, Any]:
    """Give the config as JSON."""
    return encode(config, {"policy": policies})


def read_config(stored: Mapping[str, Any], where: str) -> TrainConfig:
    """Read a stored config, of this Etude or an earlier one; raise `ConfigError` for what is no longer known."""
    return decode(TrainConfig, upgraded(stored), {"policy": policies}, where=where)


def upgraded(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Give a stored config today's names."""
    kept = {name: value for name, value in stored.items() if name not in _MOVED and name != "dataset"}
    if "dataset" in stored:
        kept["datasets"] = [stored["dataset"]]
    for name, (group, new) in _MOVED.items():
        if name in stored:
            kept[group] = kept.get(group, {}) | {new: stored[name]}
    return kept


def check_resumable(config: TrainConfig, resumed: Path, num_processes: int) -> None:
    """Raise `ConfigError` unless `resumed` is the state of a run that learned what `config` says."""
    if not resumed.exists():
        raise ConfigError(f"There is nothing to resume in {config.output_dir}: it has no {resumed.name}.")
    then = read_config(states.stored_config(resumed), str(resumed))
    before, now = stored_form(then), stored_form(config)
    changed = [name for name in now if name not in MAY_CHANGE and now[name] != before[name]]
    if changed:
        raise ConfigError(
            f"The run in {config.output_dir} was started with other values of {', '.join(changed)}. Resume it with "
            "those, or start a new run."
        )
    per_step = states.samples_per_step(resumed) or then.batch_size * then.grad_accum_steps
    if per_step != config.batch_size * config.grad_accum_steps * num_processes:
        raise ConfigError(
            f"The run in {config.output_dir} learned from {per_step} samples per update; batch_size "
            f"({config.batch_size}) times grad_accum_steps ({config.grad_accum_steps}) times processes "
            f"({num_processes}) should be that."
        )
