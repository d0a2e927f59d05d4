"""The columns of LeRobot's tables as its features imply them, for tables that cannot say so themselves."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

Features = Mapping[str, Mapping[str, Any]]

_IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
_EVENT = {"role": pa.string(), "content": pa.string(), "style": pa.string()}
_SAID = {"camera": pa.string(), "tool_calls": pa.list_(pa.string())}
_PERSISTENT = pa.list_(pa.struct(_EVENT | {"timestamp": pa.float32()} | _SAID))
_EVENTS = pa.list_(pa.struct(_EVENT | _SAID))
_BASIC = ("min", "max", "mean", "std", "count")
_QUANTILES = ("q01", "q10", "q50", "q90", "q99")
_PICTURES = ("image", "video")
_UNMEASURED = ("string", "language")


def data_schema(features: Features) -> pa.Schema:
    """Give the columns of the frame tables, as Hugging Face `datasets` lays them out for LeRobot."""
    kept = {key: feature for key, feature in features.items() if feature["dtype"] != "video"}
    described = {key: _described(feature) for key, feature in kept.items()}
    fingerprint = hashlib.blake2b(json.dumps(described).encode(), digest_size=8).hexdigest()
    metadata = json.dumps({"info": {"features": described}, "fingerprint": fingerprint})
    return pa.schema({key: _column(key, feature) for key, feature in kept.items()}, {"huggingface": metadata})


def tasks_schemas() -> list[pa.Schema]:
    """Give the columns that the task table may have; LeRobot before 0.6 left the text column unnamed."""
    return [pa.schema({"task_index": pa.int64(), text: pa.string()}) for text in ("task", "__index_level_0__")]


def episodes_schemas(features: Features) -> list[pa.Schema]:
    """Give the columns that the episodes table may have.

    That depends on LeRobot's version and on how it encoded: it knew no quantiles at first, measures the cameras last
    when it encodes while recording, and knows no place of the videos yet when it encodes several episodes at once.
    """
    choices = itertools.product((_BASIC + _QUANTILES, _BASIC), (False, True), (True, False), (pa.bool_(), pa.float64()))
    schemas = (pa.schema(_episodes_columns(features, *choice)) for choice in choices)
    return list(dict.fromkeys(schemas))


def _episodes_columns(
    features: Features, stats: tuple[str, ...], cameras_last: bool, with_videos: bool, flag: pa.DataType
) -> Iterator[tuple[str, pa.DataType]]:
    yield from (("episode_index", pa.int64()), ("tasks", pa.list_(pa.string())), ("length", pa.int64()))
    for name in ("data/chunk_index", "data/file_index", "dataset_from_index", "dataset_to_index"):
        yield name, pa.int64()
    for key in (key for key, feature in features.items() if feature["dtype"] == "video" and with_videos):
        yield from ((f"videos/{key}/{name}", pa.int64()) for name in ("chunk_index", "file_index"))
        yield from ((f"videos/{key}/{name}", pa.float64()) for name in ("from_timestamp", "to_timestamp"))
    measured = [key for key, feature in features.items() if feature["dtype"] not in _UNMEASURED]
    if cameras_last:
        measured.sort(key=lambda key: features[key]["dtype"] == "video")
    for key, name in itertools.product(measured, stats):
        yield f"stats/{key}/{name}", _statistic(features[key], name, flag)
    yield from ((f"meta/episodes/{name}", pa.int64()) for name in ("chunk_index", "file_index"))


def _statistic(feature: Mapping[str, Any], name: str, flag: pa.DataType) -> pa.DataType:
    is_picture = feature["dtype"] in _PICTURES
    value = pa.float64()
    if name == "count":
        return pa.list_(pa.int64())
    if name in ("min", "max") and not is_picture:
        value = flag if feature["dtype"] == "bool" else pa.int64() if "int" in feature["dtype"] else value
    return _nested(value, 3 if is_picture else len(feature["shape"]))


def _column(key: str, feature: Mapping[str, Any]) -> pa.DataType:
    kind, shape = feature["dtype"], feature["shape"]
    if kind == "image":
        return _IMAGE
    if kind == "language":
        return _PERSISTENT if key.endswith("persistent") else _EVENTS
    value = pa.string() if kind == "string" else pa.from_numpy_dtype(np.dtype(kind))
    if len(shape) == 1:
        return value if shape[0] == 1 else pa.list_(pa.field("element", value), shape[0])
    return _nested(value, len(shape))


def _nested(value: pa.DataType, depth: int) -> pa.DataType:
    for _ in range(depth):
        value = pa.list_(value)
    return value


def _described(feature: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a column in the words of `datasets`."""
    kind, shape = feature["dtype"], list(feature["shape"])
    value = {"dtype": kind, "_type": "Value"}
    if kind == "image":
        return {"_type": "Image"}
    if len(shape) > 1:
        return {"shape": shape, "dtype": kind, "_type": f"Array{len(shape)}D"}
    return value if shape == [1] else {"feature": value, "length": shape[0], "_type": "List"}
