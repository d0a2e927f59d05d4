"""`etude policy info`: what a checkpoint holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional


@dataclass(frozen=True, kw_only=True)
class PolicyInfo:
    """Say what a policy is, what it sees and does, how it is played, and where it learned."""

    checkpoint: Positional[Path]
    """The checkpoint folder: Etude's or LeRobot's."""
    json: bool = False
    """Print one JSON object."""


COMMAND = PolicyInfo


def run(command: PolicyInfo) -> int:
    """Print the summary."""
    from etude.policies.checkpoint import load
    from etude.policies.inspecting import summary

    facts = summary(command.checkpoint, load(command.checkpoint))
    print(json.dumps(facts) if command.json else "\n".join(_lines(facts)))
    return 0


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    made = "LeRobot's layout" if facts["layout"] == "lerobot" else "Etude's layout"
    yield f"{facts['folder']}: {facts['type']}, {made}, {_size(facts['bytes_on_disk'])}"
    yield from _parameters(facts["parameters"])
    yield ""
    yield "Sees"
    yield from _specs(facts["observation"])
    yield "Does"
    yield from _specs({"action": facts["action"]})
    yield ""
    laws = ", ".join(f"{key} {mode}" for key, mode in facts["normalization"].items())
    yield f"Normalises: {laws or 'nothing'}"
    for old, new in facts["renames"].items():
        yield f"Renames:    {old} is its {new}"
    yield f"Plays:      {_played(facts['execution'])}"
    learned = _learned(facts["origin"])
    yield f"Learned:    {learned or 'not told'}"
    golden = "a frame and its chunk; etude policy check asks again" if facts["has_golden_pair"] else "none"
    yield f"Golden:     {golden}"


def _parameters(counts: dict[str, Any]) -> Iterator[str]:
    parts = ", ".join(f"{name} {_millions(count)}" for name, count in counts["of"].items())
    frozen = counts["total"] - counts["learned"]
    yield f"{_millions(counts['total'])} parameters{f', {_millions(frozen)} frozen' if frozen else ''}: {parts}"


def _specs(specs: dict[str, Any]) -> Iterator[str]:
    width = max(map(len, specs))
    for key, spec in specs.items():
        names = ", ".join(spec["names"])
        unit = f" [{spec['unit']}]" if spec["unit"] else ""
        yield f"  {key:<{width}}  {spec['dtype']}{spec['shape']}{unit}  {names}".rstrip()


def _played(how: dict[str, Any]) -> str:
    words = [f"{how['n_action_steps']} of {how['chunk_size']} actions of a chunk"]
    if how["fps"]:
        words.append(f"at {how['fps']:g} Hz")
    if how["temporal_ensemble_coeff"] is not None:
        words.append(f"chunks blended by {how['temporal_ensemble_coeff']:g}")
    if how["looks_back"]:
        words.append(f"from ticks {', '.join(map(str, how['looks_back']))}")
    if how["samples"]:
        words.append("drawn anew each time")
    return ", ".join(words)


def _learned(origin: dict[str, Any]) -> str:
    step = f"{origin['step']} steps" if origin["step"] else ""
    return ", ".join(filter(None, [origin["dataset"], origin["robot_type"], step, "; ".join(origin["tasks"])]))


def _millions(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count >= 100_000 else f"{count / 1e3:.1f} k"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} kB"
