"""Reading the `config.json` of LeRobot's policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from etude.core.codec import decode
from etude.core.errors import ConfigError

C = TypeVar("C")

ABOUT_TRAINING = {
    "type", "input_features", "output_features", "device", "use_amp", "use_peft", "push_to_hub", "repo_id", "private",
    "tags", "license", "pretrained_path", "pretrained_revision", "pretrained_backbone_weights", "optimizer_betas",
    "optimizer_eps", "scheduler_name", "scheduler_warmup_steps", "drop_n_last_frames", "compile_model", "compile_mode",
}  # fmt: skip
"""Keys that say nothing about how a policy acts."""


def read_values(
    config: type[C], stored: Mapping[str, Any], *, only: Mapping[str, Any], skipped: Iterable[str] = ()
) -> C:
    """Give our config for LeRobot's; raise `ConfigError` for a value that we cannot follow.

    `only` are keys that we know with one value, and `skipped` those that do not matter.
    """
    kind = stored.get("type", "this policy")
    for key, value in only.items():
        if stored.get(key, value) not in (value, int(value)):
            raise ConfigError(f"LeRobot's {key} = {stored[key]} is not supported for {kind}; only {value} is.")
    passed_over = ABOUT_TRAINING | only.keys() | set(skipped)
    return decode(config, {key: value for key, value in stored.items() if key not in passed_over}, where="config.json")
