"""A folder on this machine that holds those files of a remote dataset that were touched."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from etude.core.errors import DatasetError
from etude.data.remote.kept import KeptFiles
from etude.data.remote.source import Source, Unreachable

INFO = "meta/info.json"
LIMIT_BYTES = 64 << 30
"""Bytes of tables and videos that are kept of one dataset."""
_AT_ONCE = 8
"""Files of metadata that are fetched side by side."""
_LARGE = "meta/etude/timing/"
"""Metadata that is as large as tables, and not needed for opening; it is not fetched."""
_NAMED = (
    "meta/stats.json", "meta/tasks.parquet", "meta/subtasks.parquet", "meta/tasks.jsonl", "meta/episodes.jsonl",
    "meta/episodes_stats.jsonl",
)  # fmt: skip
_EPISODES = "meta/episodes/chunk-{:03d}/file-{:03d}.parquet"
_GAP = 8
"""Missing numbers of files after which there are no more."""


class Mirror:
    """Fetches files of a dataset when they are touched, and drops those touched longest ago when they grow too many."""

    def __init__(self, source: Source, root: Path, address: str, limit_bytes: int = LIMIT_BYTES) -> None:
        self.root, self._source, self._address = root, source, address
        self._lock = threading.Lock()
        self._fetching: dict[Path, threading.Lock] = {}
        self._checked: set[Path] = set()
        """Files that were compared with those there, which is done once."""
        self._kept = KeptFiles(limit_bytes)

    def update(self) -> bool:
        """Bring all metadata here, as they are now; when the place does not answer, those of last time will do.

        Tells whether it answered.
        """
        try:
            if not self._source.fetch(INFO, self.root):
                raise DatasetError(self._address, f"is not a dataset: it has no {INFO}. Check the address.")
            names = self._source.listing("meta")
            wanted = self._probed() if names is None else [_inside(each, self._address) for each in names]
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch") as pool:
                list(pool.map(lambda name: self._source.fetch(name, self.root), self._small(wanted)))
        except Unreachable as error:
            if (self.root / INFO).is_file():
                return False
            what = f"cannot be reached ({error}). Check the network and the address."
            raise DatasetError(self._address, what) from error
        self._forget_all_but({INFO, *wanted})
        for folder in ("data", "videos"):
            self._kept.found(self.root / folder)
        return True

    def fetch(self, path: Path) -> Path:
        """Give `path`, which lies in this folder, once its file is here."""
        name = _inside(str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path), self._address)
        with self._lock:
            own = self._fetching.setdefault(path, threading.Lock())
        with own:
            if path not in self._checked or not path.is_file():
                self._bring(name, path)
                self._checked.add(path)
            self._kept.touched(path)
        return path

    def _bring(self, name: str, path: Path) -> None:
        try:
            if not self._source.fetch(name, self.root):
                raise DatasetError(f"{self._address}/{name}", "is missing there, though an episode needs it.")
        except Unreachable as error:
            if not path.is_file():
                what = f"cannot be fetched ({error}). Check the network; what is here already can be used without it."
                raise DatasetError(f"{self._address}/{name}", what) from error

    def _probed(self) -> list[str]:
        """Find the metadata of a place that lists nothing, by their names."""
        found = [name for name in _NAMED if self._source.fetch(name, self.root)]
        chunk = 0
        while "meta/episodes.jsonl" not in found and (more := self._probed_chunk(chunk)):
            found += more
            chunk += 1
        return found

    def _probed_chunk(self, chunk: int) -> list[str]:
        found, file, missing = [], 0, 0
        while missing < _GAP:
            name = _EPISODES.format(chunk, file)
            is_there = self._source.fetch(name, self.root)
            found += [name] if is_there else []
            file, missing = file + 1, 0 if is_there else missing + 1
        return found

    def _small(self, names: list[str]) -> list[str]:
        return [name for name in names if name != INFO and not name.startswith(_LARGE)]

    def _forget_all_but(self, names: set[str]) -> None:
        """Delete metadata that are no longer there: a reader lists what is in the folder."""
        for path in (self.root / "meta").rglob("*"):
            if path.is_file() and path.relative_to(self.root).as_posix() not in names:
                path.unlink(missing_ok=True)


def _inside(name: str, address: str) -> str:
    """Give a path that stays inside the dataset; raise `DatasetError` when a server or a header names another."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        raise DatasetError(address, f"names a file outside the dataset: {name!r}. Do not trust it.")
    return path.as_posix()
