"""The flags that LeRobot's tutorials type, and what they mean here. One table; the tests walk it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etude.core.errors import UserError


@dataclass(frozen=True)
class Alias:
    """A flag of LeRobot's: another name for ours, or a wish that is granted anyway when it has one of these values."""

    flag: str
    ours: str | None = None
    """The flag it stands for."""
    granted: tuple[str, ...] = ()
    """Values that ask for what happens anyway; empty with no `ours` means any value."""
    otherwise: str = ""
    """What to do for the other values."""
    meanings: Mapping[str, str] = field(default_factory=dict[str, str])
    """What each value stands for, as a flag of ours with its value, or nothing."""


YES, NO = ("", "true", "True", "1", "yes"), ("false", "False", "0", "no")

ALIASES = (
    Alias("--config_path", ours="--config"),
    Alias("--policy.device", ours="--device"),
    Alias("--policy.push_to_hub", granted=NO, otherwise="Etude uploads nothing on its own."),
    Alias("--dataset.push_to_hub", granted=NO, otherwise="Etude uploads nothing on its own."),
    Alias("--policy.repo_id"),
    Alias("--job_name"),
    Alias("--wandb.enable", meanings={**dict.fromkeys(NO, ""), **dict.fromkeys(YES, "--tracking=wandb")}),
    Alias("--wandb.project", ours="--tracking_project"),
    Alias("--display_data", meanings={**dict.fromkeys(NO, ""), **dict.fromkeys(YES, "--display=rerun")}),
    Alias("--play_sounds"),
    Alias("--dataset.streaming_encoding"),
    Alias("--teleop.id"),
    Alias("--num_workers"),
    Alias("--eval.use_async_envs"),
    Alias("--policy.use_amp", granted=NO, otherwise="A policy acts in the precision of its weights."),
)


def translate(arguments: Sequence[str], known: set[str]) -> list[str]:
    """Rewrite LeRobot's flags into ours; a flag in `known`, the command's own flags, is left alone."""
    table = {alias.flag: alias for alias in ALIASES}
    result: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        flag, equals, value = argument.partition("=")
        alias = table.get(flag)
        if alias is None or flag in known:
            result.append(argument)
            continue
        if not equals and queue and not queue[0].startswith("--"):
            value = queue.pop(0)
        result += _one(alias, value, known)
    return result


def _one(alias: Alias, value: str, known: set[str]) -> list[str]:
    if value in alias.meanings:
        flag, _, wanted = alias.meanings[value].partition("=")
        return [f"{flag}={wanted}"] if flag in known else []
    if alias.meanings:
        raise UserError(f"{alias.flag} should be true or false, got {value}.")
    if alias.ours:
        return [f"{alias.ours}={value}"] if alias.ours in known else []
    if alias.granted and value not in alias.granted:
        raise UserError(f"{alias.flag}={value or 'true'} cannot be done. {alias.otherwise}")
    return []
