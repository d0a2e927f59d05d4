"""`features.json`: what each step of an episode holds, and how it is stored. Facts: TensorFlow Datasets 4.9."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etude.core.errors import DatasetError
from etude.core.files import read_json

FILE = Path("features.json")
STEPS = "steps"


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One array of a step."""

    name: str
    """Its path below `steps`, such as `observation/image`."""
    kind: str
    """`tensor`, `image` or `text`; anything else cannot be read."""
    shape: tuple[int, ...] = ()
    """-1 where a size differs from step to step."""
    dtype: str = ""
    encoding: str = ""
    """Of a tensor: `none`, `bytes` or `zlib`; of a picture: `jpeg` or `png`."""

    @property
    def feature(self) -> str:
        """The name it has in a record."""
        return f"{STEPS}/{self.name}"


def leaves(root: Path) -> list[Leaf]:
    """List what a step holds; raise `DatasetError` when these are no episodes of steps."""
    path = root / FILE
    stored = read_json(path, DatasetError)
    steps = stored.get("featuresDict", {}).get("features", {}).get(STEPS, {}).get("sequence", {}).get("feature")
    if not isinstance(steps, Mapping):
        raise DatasetError(path, "describes no episodes: a record should hold 'steps', a dataset of its own (RLDS).")
    try:
        return list(_walk("", steps))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(path, f"cannot be understood ({error!r}). Copy the file again.") from error


def _walk(name: str, feature: Mapping[str, Any]) -> Iterator[Leaf]:
    if "featuresDict" in feature:
        for key, part in feature["featuresDict"]["features"].items():
            yield from _walk(f"{name}/{key}" if name else key, part)
    elif "image" in feature:
        image = feature["image"]
        encoding = image.get("encodingFormat") or "png"
        yield Leaf(name=name, kind="image", shape=_shape(image), dtype=image.get("dtype") or "uint8", encoding=encoding)
    elif "tensor" in feature:
        tensor = feature["tensor"]
        kind = "text" if tensor["dtype"] in ("string", "object") else "tensor"
        encoding = (tensor.get("encoding") or "none").lower()
        yield Leaf(name=name, kind=kind, shape=_shape(tensor), dtype=tensor["dtype"], encoding=encoding)
    elif "text" in feature:
        yield Leaf(name=name, kind="text", dtype="string")
    elif "classLabel" in feature:
        yield Leaf(name=name, kind="tensor", dtype="int64", encoding="none")
    else:
        kind = feature.get("pythonClassName", "something").rpartition(".")[2]
        yield Leaf(name=name, kind=kind, dtype=kind)


def _shape(part: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(size) for size in part.get("shape", {}).get("dimensions", ()))
