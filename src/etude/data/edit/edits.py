"""The edits: each says, before anything is touched, why it cannot be made, or gives the plan of what is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from etude.core.errors import NotFound, UserError
from etude.data.edit.plan import Kept, Plan, same_keys, whole
from etude.data.edit.source import Source
from etude.data.lerobot.header import DEFAULT_FEATURES, is_depth
from etude.data.video import encoders
from etude.data.video.recode import Encoding

_ABOUT_VIDEO = ("info", "video_info", "fps")
"""Entries of a feature that may differ between datasets that are merged."""


def delete(source: Source, episodes: Collection[int]) -> Plan:
    """Leave out episodes."""
    require_episodes(source, episodes)
    return _picked(source, [number for number in range(len(source)) if number not in set(episodes)])


def keep(source: Source, episodes: Collection[int]) -> Plan:
    """Leave out all other episodes."""
    require_episodes(source, episodes)
    return _picked(source, sorted(set(episodes)))


def filtered(
    source: Source, *, task: str = "", min_length: int = 0, max_length: int = 0, among: Collection[int] | None = None
) -> Plan:
    """Keep the episodes of one task, of at least and at most so many frames (0: any number), and of `among`."""
    if task and task not in source.tasks:
        raise NotFound("task", task, source.tasks)
    require_episodes(source, among or ())
    picked = np.arange(len(source)) if among is None else np.array(sorted(set(among)), np.int64)
    length = source.length[picked]
    picked = picked[(length >= min_length) & (length <= (max_length or length.max(initial=0)))]
    if task:
        picked = np.array([number for number in picked.tolist() if task in source.rows["tasks"][number].as_py()], int)
    return _picked(source, picked.tolist())


def trimmed(source: Source, spans: Mapping[int, tuple[int, int]]) -> Plan:
    """Keep of each episode in `spans` only the frames from the first number to before the second."""
    require_episodes(source, spans)
    for number, (start, stop) in spans.items():
        if not 0 <= start < stop <= source.length[number]:
            raise UserError(
                f"Episode {number} has frames 0 to {source.length[number] - 1}; from {start} to before {stop} there "
                "would be none, or more than that. Choose other bounds."
            )
    kept = [Kept(0, each.episode, *spans.get(each.episode, (each.start, each.stop))) for each in whole(source)]
    plan = _plan(source, kept)
    if plan.keeps_all_rows:
        raise UserError("There is nothing to trim: all frames would be kept.")
    return plan


def retasked(source: Source, renames: Mapping[str, str], episodes: Collection[int] | None = None) -> Plan:
    """Give tasks other texts, in `episodes` or in all."""
    require_episodes(source, episodes or ())
    for old, new in renames.items():
        if old not in source.tasks:
            raise NotFound("task", old, source.tasks)
        if not new.strip():
            raise UserError(f"Task '{old}' cannot become an empty text: say what is to be done.")
    chosen = range(len(source)) if episodes is None else set(episodes)
    changed = {old: new for old, new in renames.items() if old != new}
    if not changed or not chosen:
        raise UserError("Nothing would change: no task gets another text.")
    return _plan(source, [replace(each, tasks=changed) if each.episode in chosen else each for each in whole(source)])


def with_task(source: Source, episodes: Collection[int], task: str) -> Plan:
    """Give all frames of `episodes` the same task."""
    return retasked(source, dict.fromkeys(source.tasks, task), episodes)


def renamed(source: Source, renames: Mapping[str, str]) -> Plan:
    """Give keys other names."""
    for old, new in renames.items():
        _require_own_key(source, old)
        if "/" in new or new in DEFAULT_FEATURES or not new.strip():
            raise UserError(
                f"'{new}' cannot be a key of a LeRobot dataset: it is empty, has a '/', or is the name of its own "
                "column."
            )
    keys = {key: renames.get(key, key) for key in source.features}
    if len(set(keys.values())) < len(keys):
        raise UserError(f"Two keys would have the same name among {', '.join(keys.values())}. Choose another.")
    return replace(_plan(source, whole(source)), keys=keys)


def without(source: Source, keys: Iterable[str]) -> Plan:
    """Leave out keys."""
    gone = list(keys)
    for key in gone:
        _require_own_key(source, key)
    kept = {key: key for key in source.features if key not in gone}
    if not kept.keys() - DEFAULT_FEATURES.keys():
        raise UserError("No key would be left. Keep at least one.")
    return replace(_plan(source, whole(source)), keys=kept)


def recoded(source: Source, *, vcodec: str, crf: int, g: int, preset: int | str | None = None) -> Plan:
    """Encode all videos again, except those of depth, which lose nothing as they are."""
    cameras = [key for key in source.header.video_keys() if not is_depth(source.features[key])]
    if not cameras:
        raise UserError(f"{source.root} has no camera in a video file; there is nothing to encode again.")
    vcodec = encoders.resolved(vcodec)
    if not encoders.works(vcodec):
        raise UserError(f"This machine cannot encode with {vcodec}. Choose another vcodec, such as libsvtav1.")
    features = {
        key: _recoded_feature(feature, vcodec, crf, g, preset) if key in cameras else feature
        for key, feature in source.features.items()
    }
    height, width = source.features[cameras[0]]["shape"][:2]
    options = encoders.options(vcodec, crf=crf, g=g, preset=preset, pixels_per_s=height * width * source.fps)
    encoding = Encoding(vcodec=vcodec, options=options)
    return replace(_plan(source, whole(source)), features=features, encoding=encoding)


def merged(sources: Sequence[Source]) -> Plan:
    """Put all episodes of several datasets into one; raise `UserError` where they do not fit together."""
    if len(sources) < 2:
        raise UserError("Merging takes at least two datasets. Name all that are to be merged.")
    first = sources[0]
    for other in sources[1:]:
        _require_same(first, other, "fps", first.fps, other.fps)
        _require_same(first, other, "robot_type", first.header.robot_type, other.header.robot_type)
        _require_same_features(first, other)
    features = {key: _common([source.features[key] for source in sources]) for key in first.features}
    kept = tuple(each for number, source in enumerate(sources) for each in whole(source, number))
    if not kept:
        raise UserError("The datasets to be merged have no episode.")
    return Plan(sources=tuple(sources), kept=kept, keys=same_keys(first), features=features)


def parts(source: Source, into: Mapping[str, Collection[int]]) -> dict[str, Plan]:
    """Make a dataset of each group of episodes."""
    plans: dict[str, Plan] = {}
    everything = whole(source)
    for name, episodes in into.items():
        require_episodes(source, episodes)
        if not episodes:
            raise UserError(f"Part '{name}' would have no episode. Give it at least one.")
        plans[name] = replace(_plan(source, [everything[number] for number in sorted(set(episodes))]), continues=False)
    return plans


def by_fractions(source: Source, shares: Mapping[str, float]) -> dict[str, range]:
    """Divide the episodes in their order, so that each part has its share of them."""
    if min(shares.values()) <= 0 or sum(shares.values()) > 1 + 1e-9:
        raise UserError(f"Fractions should be above 0 and sum to at most 1, got {dict(shares)}.")
    bounds = [0, *np.round(np.cumsum(list(shares.values())) * len(source)).astype(int).tolist()]
    return {name: range(begin, end) for name, (begin, end) in zip(shares, pairwise(bounds), strict=True)}


def require_episodes(source: Source, episodes: Collection[int]) -> None:
    """Raise `UserError` unless all these episodes exist."""
    wrong = sorted(number for number in episodes if not 0 <= number < len(source))
    if wrong:
        listed = ", ".join(map(str, wrong[:8]))
        known = f"0 to {len(source) - 1}" if len(source) else "none"
        raise UserError(f"There is no episode {listed} in {source.root}. Known: {known}.")


def _plan(source: Source, kept: Iterable[Kept]) -> Plan:
    return Plan(sources=(source,), kept=tuple(kept), keys=same_keys(source), continues=True)


def _picked(source: Source, episodes: Collection[int]) -> Plan:
    if not episodes:
        raise UserError(f"No episode of {source.root} would be left. Keep at least one, or delete the folder.")
    if len(episodes) == len(source):
        raise UserError(f"Nothing would change: all {len(source)} episodes of {source.root} are kept.")
    everything = whole(source)
    return _plan(source, [everything[number] for number in episodes])


def _require_own_key(source: Source, key: str) -> None:
    known = [name for name in source.features if name not in DEFAULT_FEATURES]
    if key not in known:
        raise NotFound("key", key, known)


def _recoded_feature(
    feature: Mapping[str, Any], vcodec: str, crf: int, g: int, preset: int | str | None
) -> dict[str, Any]:
    new = {
        "video.codec": encoders.stream_name(vcodec),
        "video.pix_fmt": encoders.pixel_format(vcodec),
        "video.g": g,
        "video.crf": crf,
        "video.preset": encoders.preset_of(vcodec, preset),
        "video.fast_decode": 0,
        "video.extra_options": {},
    }
    old = feature.get("info") or feature.get("video_info") or {}
    return {name: value for name, value in feature.items() if name != "video_info"} | {"info": dict(old) | new}


def _require_same(first: Source, other: Source, what: str, wanted: Any, found: Any) -> None:
    if wanted != found:
        raise UserError(
            f"{other.root} has {what} {found}, {first.root} has {wanted}; datasets that are merged must agree."
        )


def _require_same_features(first: Source, other: Source) -> None:
    differing = sorted(first.features.keys() ^ other.features.keys())
    if differing:
        raise UserError(
            f"Only one of {first.root} and {other.root} has the key {', '.join(differing)}. Make them agree first: "
            "etude dataset rename, or etude dataset remove-key."
        )
    for key, feature in first.features.items():
        ours, theirs = (_without_video(each) for each in (feature, other.features[key]))
        _require_same(first, other, f"'{key}'", ours, theirs)


def _without_video(feature: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in feature.items() if name not in _ABOUT_VIDEO}


def _common(features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe what datasets agree in; how a video was encoded becomes unknown where they do not."""
    first = dict(features[0])
    for name in ("info", "video_info"):
        if isinstance(first.get(name), Mapping):
            others = [feature.get(name) or {} for feature in features[1:]]
            first[name] = {
                field: value if all(other.get(field) == value for other in others) else None
                for field, value in first[name].items()
            }
    return first
