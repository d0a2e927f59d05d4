"""All entries on this machine: finding, making and dropping them."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock

from etude.data.cache.boot import this_boot
from etude.data.cache.entry import COMPLETE, PARTIAL, Content, Entry, WrongSize
from etude.data.cache.listing import Stored, entries_in
from etude.data.cache.storing import Storing
from etude.data.cache_folder import cache_folder, touch

MOST_BYTES = 20_000_000_000
FREE_SHARE = 4
"""By default the cache takes up to `MOST_BYTES`, and one part in this of what would be free on the disk without it."""
_LOOK_AGAIN_S = 2.0
"""How long a list of the entries is good for: other programs make and drop some too."""
_ABANDONED_S = 3600
"""A partial entry of another boot, untouched for so long, is nobody's: not even another machine's on a shared disk."""

_log = logging.getLogger(__name__)


class FrameCache:
    """Entries in a folder, bounded by bytes and shared with every process that uses the folder.

    When one more does not fit, those that were used longest ago are deleted, but never those that this process uses.
    When the folder cannot be written, the cache says so once, stores nothing more, and gives what it has.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int | None = None) -> None:
        self.folder = folder or cache_folder("frames")
        self._max_bytes = max_bytes
        self._open: OrderedDict[str, Entry] = OrderedDict()
        self._own: set[str] = set()
        self._lock = threading.Lock()
        self._used, self._droppable, self._looked_at = 0, list[Stored](), -np.inf
        self._storing = Storing()
        self.is_off = not hasattr(os, "pwrite")
        """Whether storing has failed, and is not tried any more."""

    def find(self, content: Content) -> Entry | None:
        """Give the entry of `content` when there is one, whole or in part."""
        with self._lock, suppress(OSError):
            return self._find(content)

    def claim(self, content: Content) -> Entry | None:
        """Give the entry of `content`, an empty one where there is none; none when there is no room for it."""
        with self._lock:
            try:
                entry = self._find(content)
                if entry or self.is_off or content.num_bytes > self.max_bytes():
                    return entry
                return self._made(content)
            except OSError as error:
                self._turn_off(error)
                return None

    def store(self, entry: Entry, ticks: np.ndarray, pictures: np.ndarray, *, wait: bool = False) -> bool:
        """Store pictures of an episode's `ticks`, soon; tell whether they will be.

        Without `wait` they are not when storing falls behind.
        """
        return not self.is_off and self._storing.put(
            lambda: self._store(entry, ticks, pictures), pictures.nbytes, wait=wait
        )

    @property
    def is_behind(self) -> bool:
        """Whether so much waits to be stored that more would be refused."""
        return self._storing.is_full

    def flush(self) -> None:
        """Wait until everything is stored."""
        self._storing.flush()

    def max_bytes(self) -> int:
        """Tell how many bytes all entries may take."""
        if self._max_bytes is not None:
            return self._max_bytes
        folder = next(each for each in (self.folder, *self.folder.parents) if each.exists())
        return min(MOST_BYTES, (shutil.disk_usage(folder).free + self._used) // FREE_SHARE)

    def listed(self) -> list[Stored]:
        """List all entries, the longest unused first."""
        return sorted(entries_in(self.folder), key=lambda stored: stored.used_at)

    def drop(self, stored: Stored) -> None:
        """Delete an entry; who reads it now goes on reading it."""
        with suppress(FileNotFoundError):
            stored.path.unlink()

    def _find(self, content: Content) -> Entry | None:
        entry = self._open.get(content.name)
        if entry is None:
            entry = self._opened(content)
            if entry is not None:
                self._keep(entry)
        else:
            self._open.move_to_end(content.name)
        return entry

    def _opened(self, content: Content) -> Entry | None:
        for path in (self._path(content, COMPLETE), self._path(content, PARTIAL)):
            try:
                entry = Entry(path, content)
            except FileNotFoundError:
                continue
            except WrongSize:
                path.unlink(missing_ok=True)
                continue
            touch(path)
            return entry
        return None

    def _keep(self, entry: Entry) -> None:
        self._own.add(entry.content.name)
        self._open[entry.content.name] = entry
        while len(self._open) > _most_open():
            self._open.popitem(last=False)

    def _made(self, content: Content) -> Entry | None:
        """Make an empty entry if there is room."""
        path = self._path(content, PARTIAL)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            entry = self._opened(content)  # another process may have made it just now
            if entry is None and self._make_room(content.num_bytes):
                self._put_empty(path, content.num_bytes)
                self._used += content.num_bytes
                entry = Entry(path, content)
        if entry is not None:
            self._keep(entry)
        return entry

    def _put_empty(self, path: Path, num_bytes: int) -> None:
        draft = self.folder / ".new"
        with draft.open("wb") as file:
            file.truncate(num_bytes)
        draft.replace(path)

    def _make_room(self, num_bytes: int) -> bool:
        if time.monotonic() - self._looked_at > _LOOK_AGAIN_S:
            self._look()
        limit = self.max_bytes()
        while self._used + num_bytes > limit and self._droppable:
            stored = self._droppable.pop()
            self.drop(stored)
            self._used -= stored.num_bytes
        return self._used + num_bytes <= limit

    def _look(self) -> None:
        """Count what is there, and find what may go, the first to go last."""
        files = self.listed()
        self._used, self._looked_at = sum(stored.num_bytes for stored in files), time.monotonic()
        others = [stored for stored in files if stored.content.name not in self._own or not stored.is_trusted]
        stale = time.time() - _ABANDONED_S
        self._droppable = sorted(
            others, key=lambda stored: (stored.is_trusted or stored.used_at > stale, stored.used_at), reverse=True
        )

    def _store(self, entry: Entry, ticks: np.ndarray, pictures: np.ndarray) -> None:
        try:
            if not self.is_off:
                entry.write(ticks, pictures)
                if entry.path.suffix == PARTIAL and entry.is_full:
                    self._complete(entry)
        except OSError as error:
            self._turn_off(error)
            with suppress(OSError):
                entry.path.unlink()

    def _complete(self, entry: Entry) -> None:
        """Give a full entry the name that is trusted for good, once it is on the disk itself."""
        entry.sync()
        complete = self._path(entry.content, COMPLETE)
        with self._alone():
            # The file may have been dropped meanwhile, and another process may be filling a new one.
            if entry.is_at(entry.path):
                entry.path.replace(complete)
        with self._lock:
            if self._open.get(entry.content.name) is entry:
                del self._open[entry.content.name]

    def _turn_off(self, error: OSError) -> None:
        if not self.is_off:
            self.is_off = True
            _log.warning(
                "Decoded pictures cannot be stored in %s (%s): pictures that are not there yet are decoded whenever "
                "they are needed. Free some space, or name another folder in $ETUDE_CACHE.",
                self.folder,
                error.strerror or error,
            )

    def _path(self, content: Content, suffix: str) -> Path:
        name = f"{content.name}.{this_boot()}{suffix}" if suffix == PARTIAL else f"{content.name}{suffix}"
        return self.folder / content.identity[:2] / name

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold off other processes that make, complete or drop entries."""
        with FileLock(self.folder / ".lock", poll_interval=0.005):
            yield


def _most_open() -> int:
    """Count the entries to keep open; each takes up to two of the files that a process may have open."""
    if sys.platform == "win32":
        return 256
    import resource  # noqa: PLC0415  not on Windows

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(max(limit // 8, 16), 4096) if limit > 0 else 4096
