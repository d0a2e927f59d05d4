"""Telling a file's kind by its first bytes, before anything that reads it is imported."""

from __future__ import annotations

from pathlib import Path

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ENDINGS = (".hdf5", ".h5")


def is_hdf5(path: Path) -> bool:
    """Whether `path` is an HDF5 file, by its name and its first bytes."""
    if path.suffix not in _ENDINGS or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_HDF5)) == _HDF5
