"""Files behind a URL, through fsspec: HTTP servers, buckets, memory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from filelock import FileLock

from etude.core.errors import MissingExtra, UserError
from etude.core.files import write_json
from etude.data.remote.source import Source, Unreachable

NOTES = Path(".etude")
"""What is known of the fetched files, inside the folder they are kept in."""
_VERSION = (
    "ETag",
    "etag",
    "md5Hash",
    "Content-MD5",
    "Last-Modified",
    "LastModified",
    "last_modified",
    "mtime",
    "created",
)
_GONE = (404, 410)
_ATTEMPTS = 3
_CHUNK = 1 << 20


class WebFiles(Source):
    """The files below a URL. A transfer that breaks off goes on where it was."""

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            import fsspec  # noqa: PLC0415  an extra
        except ImportError as error:
            raise MissingExtra(f"Reading {url}", "remote") from error
        try:
            self._system, self._base = fsspec.core.url_to_fs(url)
        except ImportError as error:
            if url.startswith("http"):
                raise MissingExtra(f"Reading {url}", "remote") from error
            raise UserError(f"Reading {url} needs a package that is not installed. {error}.") from error
        except ValueError as error:
            raise UserError(f"{url} cannot be opened: {error}.") from error

    def listing(self, folder: str) -> list[str] | None:
        """List the files below `folder`, where the server lists folders."""
        self._system.invalidate_cache()
        base = str(self._base).rstrip("/")
        try:
            found = self._system.find(f"{base}/{folder}")
        except Exception as error:
            if _is_missing(error):
                return None
            raise Unreachable(_reason(error)) from error
        inside = [unquote(path).removeprefix(f"{base}/") for path in found if not path.endswith("/")]
        return inside or None

    def fetch(self, path: str, root: Path) -> bool:
        """Make `root / path` what the server has, going by its size and its entity tag or date."""
        target, note = root / path, root / NOTES / f"{path}.json"
        note.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{note}.lock"):
            about = self._about(path)
            if about is None:
                return False
            version = {"size": about.get("size"), "version": _version(about)}
            if not (_read(note) == version and _is_whole(target, version)):
                self._transfer(path, target, note, version)
            return True

    def _about(self, path: str) -> Mapping[str, Any] | None:
        try:
            return self._system.info(f"{self._base}/{path}")
        except Exception as error:
            if _is_missing(error):
                return None
            raise Unreachable(_reason(error)) from error

    def _transfer(self, path: str, target: Path, note: Path, version: dict[str, Any]) -> None:
        part = note.with_suffix(".part")
        begun = part.with_suffix(".begun")
        if _read(begun) != version:
            part.unlink(missing_ok=True)
            write_json(begun, version)
        for attempt in range(_ATTEMPTS):
            before = _size(part)
            try:
                self._append(path, part, version["size"])
                break
            except Exception as error:
                if attempt == _ATTEMPTS - 1:
                    raise Unreachable(_reason(error)) from error
                if _size(part) == before:  # what is here may be the reason
                    part.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        part.replace(target)
        write_json(note, version)
        begun.unlink(missing_ok=True)

    def _append(self, path: str, part: Path, size: int | None) -> None:
        """Fetch what `part` does not have yet."""
        have = _size(part)
        # One request for a whole HTTP file; parts, which not every server sends, only to go on.
        options = {"block_size": 0} if self._url.startswith("http") and not have else {}
        with part.open("ab") as file, self._system.open(f"{self._base}/{path}", "rb", **options) as source:
            if have and not _went_to(source, have if size is not None else 0):
                file.truncate(0)
            while chunk := source.read(_CHUNK):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            if size is not None and file.tell() != size:
                got = file.tell()
                file.truncate(0)
                raise OSError(f"{path} has {size} bytes there, {got} arrived")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _went_to(source: Any, position: int) -> bool:
    """Go on at `position`, where the server sends parts of files."""
    try:
        return position > 0 and source.seek(position) == position
    except (OSError, ValueError):
        return False


def _is_whole(path: Path, version: Mapping[str, Any]) -> bool:
    """Whether a file is here that has the right size; without size and date nothing is known of it."""
    if not path.is_file() or version == {"size": None, "version": ""}:
        return False
    return version["size"] in (None, path.stat().st_size)


def _version(about: Mapping[str, Any]) -> str:
    told = [f"{name}={about[name]}" for name in _VERSION if about.get(name)]
    return hashlib.blake2b("\n".join(told).encode(), digest_size=16).hexdigest() if told else ""


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _is_missing(error: BaseException) -> bool:
    """Whether there is no such file; fsspec calls it so too when a server does not answer."""
    if not isinstance(error, FileNotFoundError):
        return getattr(error, "status", None) in _GONE
    return error.__cause__ is None or getattr(error.__cause__, "status", None) in _GONE


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    return " ".join(str(cause).split()) or type(cause).__name__
