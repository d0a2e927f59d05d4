"""The arrays of a Zarr group in a folder or a zip file; nothing that could run code is decoded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import DatasetError, MissingExtra
from etude.data.formats.zarr.config import group_in

_KNOWN = (
    *("blosc", "zstd", "lz4", "gzip", "zlib", "bz2", "lzma"),
    *("bytes", "delta", "shuffle", "fixedscaleoffset", "astype", "bitround", "packbits", "quantize"),
    *("transpose", "sharding_indexed", "crc32c", "crc32", "adler32", "fletcher32", "vlen-utf8", "vlen-bytes"),
)
"""Ways of packing that are numbers in, numbers out. One that is not here, such as pickle, is refused unread."""


class Buffer:
    """The group of arrays under `/data`, and the ends of the episodes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._group = _opened(root)
        try:
            self.arrays: dict[str, Any] = dict(self._group["data"].arrays())
            self._ends = self._group["meta/episode_ends"]
        except (KeyError, ValueError, TypeError, OSError) as error:
            raise DatasetError(
                root, f"cannot be read as Zarr ({error}): it is damaged, or packed in a way Etude does not read."
            ) from error
        for name, array in {"meta/episode_ends": self._ends, **self.arrays}.items():
            _require_known(root, name, array)

    def ends(self) -> np.ndarray:
        """Read where the episodes end."""
        return self._read("meta/episode_ends", self._ends, slice(None))

    def read(self, name: str, start: int, stop: int | None) -> np.ndarray:
        """Read frames `start` to `stop` of an array."""
        return self._read(f"data/{name}", self.arrays[name], slice(start, stop))

    def identity(self) -> str:
        """Tell the buffer from a changed one."""
        path = self._root if self._root.is_file() else self._root / "meta/episode_ends"
        stat = path.stat()
        return f"{self._root.name} {stat.st_size} {stat.st_mtime_ns}"

    def _read(self, name: str, array: Any, rows: slice) -> np.ndarray:
        try:
            return np.asarray(array[rows])
        except (ValueError, TypeError, RuntimeError, OSError, KeyError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise DatasetError(self._root, f"{name} cannot be read ({reason}). Copy it again.") from error


def _opened(root: Path) -> Any:
    try:
        import zarr  # noqa: PLC0415  optional
        from zarr.storage import ZipStore  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("Reading Zarr datasets", "zarr") from error
    try:
        if root.is_dir():
            return zarr.open_group(root, mode="r")
        return zarr.open_group(ZipStore(root, mode="r"), mode="r", path=(group_in(root) or "").rstrip("/"))
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise DatasetError(
            root, f"cannot be read as Zarr ({error}): it is damaged, or packed in a way Etude does not read."
        ) from error


def _require_known(root: Path, name: str, array: Any) -> None:
    """Refuse an array that is packed in a way we do not know to be harmless."""
    stored = array.metadata.to_dict()
    codecs = [stored.get("compressor"), *(stored.get("filters") or ()), *(stored.get("codecs") or ())]
    for codec in filter(None, codecs):
        kind = str(codec.get("id") or codec.get("name") or json.dumps(codec, default=str)).removeprefix("numcodecs.")
        if kind not in _KNOWN:
            raise DatasetError(root, f"{name} is packed with '{kind}', which Etude does not read. Write it with blosc.")
