"""Builds a new version of a dataset, or a new dataset, from a plan."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etude.core.errors import DatasetError
from etude.core.files import write_json
from etude.data.edit.episode_rows import episode_rows
from etude.data.edit.frames import write_frames
from etude.data.edit.measure import measured, merged
from etude.data.edit.plan import Plan, Tell
from etude.data.edit.sketches import carry_sketches
from etude.data.edit.tasks import Tasks, tasks_of
from etude.data.edit.videos import Videos
from etude.data.formats.lerobot_v3 import layout, metadata
from etude.data.formats.lerobot_v3.layout import Place, path_of
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.stats_file import read_stats, write_stats
from etude.data.sketches import merge_sketches, with_sketches
from etude.data.versions import link_tree, workspace

_OURS = ("data", "videos", "images", ".recording")
_OURS_IN_META = ("info.json", "stats.json", "tasks.parquet", "episodes", "etude")
_ROWS_PER_GROUP = 1000


def build(plan: Plan, folder: Path, tell: Tell = lambda *_: None) -> None:
    """Fill the empty `folder`; what does not change is linked.

    Raises `DatasetError` when a source is damaged.
    """
    tasks = tasks_of(plan)
    work = folder / ".work"
    keys = [key for key in plan.sources[0].header.video_keys() if key in plan.keys]
    parts = len(keys) + 2
    data = write_frames(plan, tasks, folder, _used(plan, "data"), _part(tell, 0, parts))
    clips = {
        key: Videos(plan, key, folder, work).write(_used(plan, key), _part(tell, number, parts))
        for number, key in enumerate(keys, 1)
    }
    found = measured(plan, tasks, _part(tell, parts - 1, parts))
    rows = episode_rows(plan, tasks, data, clips, found)
    _write_rows(plan, rows, folder)
    tables.write(folder / metadata.TASKS_FILE, metadata.tasks_table(tasks.texts))
    write_json(folder / headers.FILE, info_of(plan, tasks), indent=4)
    carry_sketches(plan, data, found, folder)
    _write_stats(plan, rows, folder)
    link_tree(plan.sources[0].root, folder, _is_theirs)
    shutil.rmtree(work, ignore_errors=True)
    tell(parts, parts)


def info_of(plan: Plan, tasks: Tasks) -> dict[str, Any]:
    """Describe the new version: everything that the first source says, with new features and counters."""
    source = plan.sources[0]
    described = plan.features or source.features
    features = {new: described[old] for old, new in plan.keys.items()}
    has_videos = any(feature["dtype"] == "video" for feature in features.values())
    return source.info | {
        "features": features,
        "total_episodes": len(plan.kept),
        "total_frames": int(plan.starts[-1]),
        "total_tasks": len(tasks.texts),
        "video_path": source.header.video_path if has_videos else None,
        "splits": _splits(plan),
    }


def _splits(plan: Plan) -> dict[str, str]:
    """Keep the parts that a dataset is divided in, where its episodes keep their order."""
    old: Mapping[str, str] = plan.sources[0].info.get("splits") or {}
    episodes = [kept.episode for kept in plan.kept]
    everything = {"train": f"0:{len(plan.kept)}"}
    if len(plan.sources) > 1 or len(old) < 2 or episodes != sorted(episodes):
        return dict.fromkeys(old, everything["train"]) if len(old) == 1 else everything
    splits: dict[str, str] = {}
    for name, span in old.items():
        begin, _, end = span.partition(":")
        inside = [number for number, episode in enumerate(episodes) if int(begin) <= episode < int(end)]
        if inside:
            splits[name] = f"{inside[0]}:{inside[-1] + 1}"
    return splits


def _write_rows(plan: Plan, rows: pa.Table, folder: Path) -> None:
    """Write the episodes table into as many files as its size needs."""
    source = plan.sources[0]
    number = max(1, -(-rows.nbytes // max(source.limit("data"), 1)))
    most = -(-len(rows) // number)
    places = [layout.after(_used(plan, "episodes"), source.header.chunks_size)]
    while len(places) < number:
        places.append(layout.after(places, source.header.chunks_size))
    for first, place in zip(range(0, len(rows), most), places, strict=False):
        part = rows.slice(first, most)
        for name, value in zip(metadata.OWN_PLACE, place, strict=True):
            at = part.column_names.index(name)
            part = part.set_column(at, part.schema.field(at), pa.array([value] * len(part), pa.int64()))
        path = folder / path_of(layout.EPISODES_PATH, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(part, path, compression="snappy", use_dictionary=True, row_group_size=_ROWS_PER_GROUP)


def _write_stats(plan: Plan, rows: pa.Table, folder: Path) -> None:
    """Write the statistics of the whole: what they were, where the rows are those that they were."""
    stored = read_stats(plan.sources[0].root)
    stats = merged(plan, rows)
    with suppress(DatasetError):  # a later version's; without sketches quantiles are outer bounds
        stats = with_sketches(stats, merge_sketches(folder, len(rows)))
    if plan.keeps_all_rows and stored:
        kept = {plan.keys[key]: part for key, part in stored.items() if key in plan.keys and key != "task_index"}
        stats = {key: kept.get(key, part) for key, part in stats.items()} | kept
    write_stats(folder, stats)


def _used(plan: Plan, kind: str) -> list[Place]:
    """List the places of files that somebody may have open: those of this version, and of the one before."""
    if not plan.continues:
        return []
    source = plan.sources[0]
    pattern = {"data": "data", "episodes": "meta/episodes"}.get(kind, f"videos/{plan.keys.get(kind, kind)}")
    roots = (source.root, workspace(source.root) / "previous")
    paths = (path for root in roots for path in root.glob(f"{pattern}/chunk-*/file-*.*"))
    return [layout.place_of(path) for path in paths]


def _is_theirs(path: Path) -> bool:
    """Whether a file is none that a dataset is made of, such as its card."""
    parts = path.parts
    return parts[0] not in _OURS and not (parts[0] == "meta" and parts[1] in _OURS_IN_META)


def _part(tell: Tell, number: int, parts: int) -> Tell:
    """Tell the progress of one part of the whole, in hundredths."""

    def told(done: int, total: int) -> None:
        tell(100 * number + 100 * done // max(total, 1), 100 * parts)

    return told
