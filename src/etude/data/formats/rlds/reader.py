"""Reads RLDS: one record per episode, its steps' arrays one after the other under flattened names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from etude.core.errors import DatasetError
from etude.data.foreign.dataset import ForeignDataset, Outline
from etude.data.foreign.naming import Found, camera, select
from etude.data.formats.rlds import example, schema, shards
from etude.data.formats.rlds.config import Config
from etude.data.formats.rlds.episodes import Episode, Files, decoded, outlined, understood
from etude.data.formats.rlds.records import mapped, records
from etude.data.formats.rlds.schema import Leaf

_USUAL_FPS = 10
_INSTRUCTIONS = (
    "language_instruction",
    "natural_language_instruction",
    "observation/natural_language_instruction",
    "observation/language_instruction",
)
"""Where datasets keep the task, the most usual first."""
_NAMES = {
    "action": "action",
    "observation/state": "observation.state",
    "observation/proprio": "observation.state",
    "reward": "next.reward",
    "is_last": "next.done",
    "is_terminal": "next.terminated",
    "is_first": "",
}
_NUMBERS = (
    "float16",
    "float32",
    "float64",
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
)


def build(config: Config, root: Path) -> ForeignDataset:
    """Open the dataset in `root`, reading no picture but one; raise `DatasetError` when a file is damaged."""
    paths, others = shards.shards_of(root, config.split)
    leaves = {leaf.name: leaf for leaf in schema.leaves(root)}
    every = _episodes(paths, leaves)
    episodes = [episode for episode in every if episode.length]
    leaves = {name: _sized(leaf, episodes) for name, leaf in leaves.items()}
    found = {name: _found(leaf) for name, leaf in leaves.items() if leaf.kind != "text"}
    selection = select(found, _usual(found), config.keys)
    fps, notes = config.rate(None, _USUAL_FPS)
    texts, text_notes = _texts(config, episodes, shards.name_of(root))
    outline = Outline(
        fps=fps,
        lengths=[episode.length for episode in episodes],
        texts=texts,
        selection=selection,
        notes=(*notes, *text_notes, *_left_out(config.split, others, len(every) - len(episodes))),
    )
    promised = shards.promised_counts(root, config.split)
    return ForeignDataset(root, "rlds", outline, Files(paths, promised, episodes, leaves, selection))


def _episodes(paths: Sequence[Path], leaves: Mapping[str, Leaf]) -> list[Episode]:
    """Find the episodes; steps are counted by the array that is read fastest."""
    quick = sorted(leaves.values(), key=lambda leaf: (leaf.kind != "tensor", leaf.dtype != "bool", len(leaf.shape)))
    instruction = next((leaves[name] for name in _INSTRUCTIONS if name in leaves), None)
    found: list[Episode] = []
    for path in paths:
        shard = records(path)
        with mapped(path) as data:
            found += [outlined(record, data, quick, instruction) for record in shard]
    return found


def _sized(leaf: Leaf, episodes: Sequence[Episode]) -> Leaf:
    """Give a picture without a fixed size the size of the first one."""
    if leaf.kind != "image" or not episodes or min(leaf.shape, default=-1) >= 0:
        return leaf
    record = episodes[0].record
    with mapped(record.path) as data, understood(record):
        items = example.strings(data, example.features(data, record.span).get(leaf.feature, (0, 0)))
        picture = decoded(data, items[0]) if items else None
    if picture is None:
        raise DatasetError(record.path, f"{record.where} holds no picture as '{leaf.name}'. Copy the file again.")
    return replace(leaf, shape=picture.shape)


def _found(leaf: Leaf) -> Found:
    if leaf.kind == "image":
        return Found(shape=leaf.shape, dtype=leaf.dtype, codec=leaf.encoding)
    is_readable = leaf.kind == "tensor" and leaf.dtype in _NUMBERS and min(leaf.shape, default=1) > 0
    return Found(shape=leaf.shape, dtype=leaf.dtype if is_readable else "object")


def _usual(found: Mapping[str, Found]) -> Callable[[str], str]:
    def name(path: str) -> str:
        if found[path].codec:
            return camera(path.removeprefix("observation/"))
        return _NAMES.get(path, path.replace("/", "."))

    return name


def _texts(config: Config, episodes: Sequence[Episode], name: str) -> tuple[list[str], tuple[str, ...]]:
    texts: list[str] = []
    notes: tuple[str, ...] = ()
    for episode in episodes:
        text, assumed = config.text(episode.text, name)
        texts.append(text)
        notes = notes or assumed
    return texts, notes


def _left_out(split: str, others: Sequence[str], num_empty: int) -> tuple[str, ...]:
    notes = []
    if others:
        notes.append(f"Only the split {split} is read; there are {', '.join(others)} too.")
    if num_empty:
        notes.append(f"{num_empty} records without a step are left out.")
    return tuple(notes)
