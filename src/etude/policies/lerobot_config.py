"""The `config.json` of LeRobot's policies, read and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from etude.core.codec import decode, encode
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


def write_values(
    config: Any, *, known: str, only: Mapping[str, Any], alien: Mapping[str, Any], skipped: Iterable[str] = ()
) -> dict[str, Any]:
    """Give LeRobot's values for our config; raise `ConfigError` for one that LeRobot cannot express.

    `known` are LeRobot's keys, with spaces between, and `only` those that we know with one value. `alien` are ours
    alone, each with the one value that says what LeRobot does. `skipped` are ours alone and say nothing about how the
    policy acts.
    """
    values = encode(config)
    for key, value in alien.items():
        own = values.pop(key)
        if own != encode(value):
            raise ConfigError(f"LeRobot has nothing like {key} = {own!r}; only with {value!r} can it be exported.")
    kept = {key: value for key, value in values.items() if key not in set(skipped)}
    strange = kept.keys() - set(known.split())
    assert not strange, f"say in {type(config).__module__} whether LeRobot can express {', '.join(strange)}"
    return dict(only) | kept


def shared_values(features: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Give what every LeRobot policy's config holds."""
    return {
        "input_features": dict(features), "output_features": dict(outputs), "device": "cpu", "use_amp": False,
        "use_peft": False, "push_to_hub": False, "repo_id": None, "private": None, "tags": None, "license": None,
        "pretrained_path": None,
    }  # fmt: skip
