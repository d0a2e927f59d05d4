"""HDF5 files, opened for as long as it takes to read something: what works in every process and thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from etude.core.errors import DatasetError, MissingExtra
from etude.data.foreign.naming import Found

_AGAIN = "Copy the file again."


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file for a block; raise `DatasetError` naming it when it, or what is read from it, is damaged."""
    try:
        import h5py  # noqa: PLC0415  optional
    except ImportError as error:
        raise MissingExtra("Reading HDF5 datasets", "hdf5") from error
    try:
        with h5py.File(path, "r") as file:
            yield file
    except FileNotFoundError as error:
        raise DatasetError(path, "is missing. Copy it again from where the dataset came from.") from error
    except (OSError, RuntimeError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise DatasetError(path, f"cannot be read as HDF5 ({reason}); it is cut off or damaged. {_AGAIN}") from error


def arrays(group: Any, skipped: tuple[str, ...] = ()) -> dict[str, Any]:
    """List the arrays below `group` by their path, without the groups and arrays `skipped`."""
    found: dict[str, Any] = {}
    for name, item in group.items():
        if name in skipped or item is None:
            continue
        if hasattr(item, "shape"):
            found[name] = item
        else:
            found |= {f"{name}/{inner}": array for inner, array in arrays(item).items()}
    return found


def found(array: Any, names: tuple[str, ...] = ()) -> Found:
    """Say what one frame of an array, (frames, ...), is."""
    shape, dtype = tuple(array.shape[1:]), array.dtype
    if dtype == np.uint8 and len(shape) == 3:
        return Found(shape=shape, dtype="uint8", codec="raw")
    return Found(shape=shape, dtype=dtype.name if dtype.kind in "fiub" else "object", names=names)


def found_packed(array: Any) -> Found:
    """Say what one frame of an array of JPEG or PNG files is, by its first one."""
    picture = unpacked(array[0])
    shape = picture.shape if picture is not None else (0, 0, 0)
    return Found(shape=shape, dtype="uint8", codec="jpeg")


def unpacked(stored: np.ndarray | bytes) -> np.ndarray | None:
    """Decode a JPEG or PNG picture, RGB, whatever follows it; nothing when it is damaged."""
    data = np.frombuffer(stored, np.uint8) if isinstance(stored, bytes) else np.asarray(stored, np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None


def identity(path: Path) -> str:
    """Tell a file from a changed one."""
    stat = path.stat()
    return f"{path.name} {stat.st_size} {stat.st_mtime_ns}"
