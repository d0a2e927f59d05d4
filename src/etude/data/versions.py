"""New versions of a dataset's folder, swapped in whole: an edit happens, or it does not.

Beside a dataset `blocks` lies the folder `.blocks.etude`, on the same file system. It holds the lock of whoever writes,
a version being made (`new-*`), the version before the last edit (`previous`), and episodes being recorded (`draft-*`).
Nothing in it is needed to read the dataset. Why beside and not inside: docs/decisions/0002.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from etude.core.errors import DatasetError, UserError
from etude.core.files import sync_file, sync_folder, write_json

VERSION_FILE = Path("meta/etude/version.json")
"""What was done last, inside each version that an edit made."""
_HEADER = Path("meta/info.json")
_NEW, _PREVIOUS, _LEAVING, _UNDO = "new-", "previous", "leaving", "undo.json"
_EXCHANGE = 2
"""RENAME_EXCHANGE of Linux's renameat2(2), RENAME_SWAP of macOS's renamex_np(2)."""
_HERE = -100
"""AT_FDCWD: paths are relative to the working folder."""


@dataclass(frozen=True)
class Version:
    """How often a dataset was edited, and what the last edit did."""

    number: int
    edit: str


def workspace(root: Path) -> Path:
    """Give the folder beside dataset `root` that holds what is not part of it."""
    root = root.resolve()
    return root.with_name(f".{root.name}.etude")


def resting_place(root: Path) -> Path:
    """Give the folder to read dataset `root` from: itself, or where a crash left it in the middle of a swap."""
    leaving = workspace(root) / _LEAVING
    return leaving if not root.exists() and leaving.exists() else root


@contextmanager
def locked(root: Path) -> Generator[Path]:
    """Be the only writer of dataset `root` for the length of a block, and tidy up behind one that was killed.

    Yields the workspace. Raises `UserError` when somebody else is writing.
    """
    folder = workspace(root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise UserError(f"{root} is being written by another program. Wait until it is done, or end it.") from None
    except OSError as error:
        raise DatasetError(folder, f"cannot be made ({error.strerror}). Etude keeps its work there.") from error
    try:
        _tidy(root, folder)
        yield folder
    finally:
        _remove_if_empty(folder)  # before the release, so that nobody finds the lock between the two
        lock.release()


@contextmanager
def new_version(root: Path, what: str, *, is_edit: bool = True) -> Generator[Path]:
    """Yield an empty folder to fill; it takes the place of dataset `root`, in one instant, when the block succeeds.

    An edit can be undone, and `what` says in a few words what it did. Without `is_edit` the data are the same in other
    files, and what could be undone before still can be. Hold `locked(root)` meanwhile.
    """
    with _writable(root):
        draft = Path(tempfile.mkdtemp(prefix=_NEW, dir=workspace(root)))
        shutil.copymode(root if root.exists() else root.parent, draft)
    try:
        with _writable(root):
            yield draft
            before = _version(root)
            version = Version(before.number + 1, what) if is_edit else before
            if version.number:
                write_json(draft / VERSION_FILE, {"number": version.number, "edit": version.edit})
            _settle(draft)
            _exchange(draft, root)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    if not is_edit:
        shutil.rmtree(draft, ignore_errors=True)
        return
    with suppress(OSError):  # where it cannot be kept now, whoever writes next keeps it
        _keep(draft, root)


@contextmanager
def _writable(root: Path) -> Generator[None]:
    """Say that a new version cannot be written, and that the dataset is as it was."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise DatasetError(root, f"a new version cannot be written ({reason}). Nothing was changed.") from error


def undo(root: Path) -> str:
    """Go back to the version before the last edit, and say what was undone; undoing again does it again.

    Raises `UserError` when there is nothing to undo, or when what was added since would be lost.
    """
    folder = workspace(root)
    previous, record = folder / _PREVIOUS, folder / _UNDO
    if not previous.is_dir() or not record.exists():
        raise UserError(f"There is nothing to undo in {root}: its last edit is not known, or was undone by hand.")
    stored = json.loads(record.read_text(encoding="utf-8"))
    if sorted([_state(root), _state(previous)]) != stored["states"]:
        raise UserError(
            f"{root} has changed since the last edit ({stored['edit']}); undoing it would lose what was added. "
            f"The version before it is {previous}: copy it elsewhere if you need it."
        )
    _exchange(previous, root)
    return stored["edit"]


def last_edit(root: Path) -> Version:
    """Tell how often dataset `root` was edited, 0 times included, and what the last edit did."""
    return _version(root)


def can_undo(root: Path) -> bool:
    """Whether there is a version before the last edit to go back to."""
    folder = workspace(root)
    return (folder / _PREVIOUS).is_dir() and (folder / _UNDO).exists()


def link_tree(source: Path, target: Path, wanted: Callable[[Path], bool] = lambda _: True) -> None:
    """Give `target` the files of `source` whose relative path is `wanted`, without copying where that can be."""
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_file() and wanted(relative):
            link(path, target / relative)


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, or a copy of it where a file cannot have two names."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _exchange(one: Path, root: Path) -> None:
    """Swap two folders; where the system has no call for it, in two steps between which `resting_place` helps."""
    root = root.resolve()  # the dataset may be reached through a link, which stays
    if not root.exists():
        one.rename(root)
        sync_folder(root.parent)
        return
    if _exchange_at_once(one, root):
        sync_folder(root.parent)
        return
    leaving = workspace(root) / _LEAVING
    try:
        root.rename(leaving)
    except OSError as error:
        raise DatasetError(root, f"cannot be replaced ({error.strerror}). Is it in use, or a mount point?") from error
    one.rename(root)
    leaving.rename(one)


def _exchange_at_once(one: Path, other: Path) -> bool:
    """Ask the system to swap two folders in one instant; false where it cannot."""
    if sys.platform not in ("linux", "darwin"):
        return False
    library = ctypes.CDLL(None)
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        return library.renamex_np(first, second, _EXCHANGE) == 0
    # musl before 1.2.6 and glibc before 2.28 have no such function.
    return hasattr(library, "renameat2") and library.renameat2(_HERE, first, _HERE, second, _EXCHANGE) == 0


def _keep(old: Path, root: Path) -> None:
    """Keep the version that was swapped out as the one that undo returns to."""
    folder = workspace(root)
    previous = folder / _PREVIOUS
    if previous.exists():
        shutil.rmtree(_aside(previous))
    # The record first: whoever tidies after a crash in between finds the old version and keeps it then.
    write_json(folder / _UNDO, {"edit": _version(root).edit, "states": sorted([_state(root), _state(old)])})
    old.rename(previous)


def _aside(folder: Path) -> Path:
    """Rename a folder that is to be deleted, so that a crash leaves no half of it under its own name."""
    target = Path(tempfile.mkdtemp(prefix=_NEW, dir=folder.parent)) / "old"
    folder.rename(target)
    return target.parent


def _tidy(root: Path, folder: Path) -> None:
    """Finish what a killed writer had begun; the lock is ours, so nobody is at work on it."""
    leaving = folder / _LEAVING
    if leaving.exists():
        if root.exists():
            leaving.rename(Path(tempfile.mkdtemp(prefix=_NEW, dir=folder)) / "old")
        else:
            leaving.rename(root)
    for left in folder.glob(f"{_NEW}*"):
        is_replaced = (left / _HEADER).exists() and _version(left).number < _version(root).number
        if is_replaced:
            _keep(left, root)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _version(root: Path) -> Version:
    path = root / VERSION_FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Version(int(stored["number"]), str(stored["edit"]))
    except (FileNotFoundError, NotADirectoryError):  # a dataset may be one file
        return Version(0, "")
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(path, f"does not tell the version of the dataset ({error}). Delete the file.") from error


def _state(root: Path) -> str:
    """Tell two states of a dataset apart, however its episodes are spread over files."""
    digest = hashlib.blake2b(digest_size=16)
    for path in (root / _HEADER, root / "meta/stats.json"):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def _settle(folder: Path) -> None:
    """Bring what was written to the disk; what is only linked is there already."""
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        elif path.stat().st_nlink == 1:
            sync_file(path)
    sync_folder(folder)


def _remove_if_empty(folder: Path) -> None:
    """Leave nothing behind where there is neither a version to go back to nor a draft."""
    if {path.name for path in folder.iterdir()} <= {"lock"}:
        shutil.rmtree(folder, ignore_errors=True)
