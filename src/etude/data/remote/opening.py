"""Opening a remote dataset: its metadata are fetched, the rest when it is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from etude.core.errors import UserError
from etude.data.cache_folder import cache_folder
from etude.data.formats import formats
from etude.data.lerobot.contents import Contents, Files
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.remote.address import Address
from etude.data.remote.hub import HubFiles
from etude.data.remote.mirror import Mirror
from etude.data.remote.source import Source
from etude.data.remote.web import WebFiles

_WHOLE = 1 << 20
"""Metadata files up to this size are told apart by all of their bytes, larger ones by their ends."""


def open_remote(address: Address) -> LeRobotDataset:
    """Open a LeRobot dataset that lies elsewhere.

    Raises `UserError` when there is no dataset that Etude reads, `DatasetError` when the place cannot be reached and
    was never read before.
    """
    root = cache_folder("remote") / address.folder
    mirror = Mirror(_source(address, root), root, str(address))
    mirror.update()
    name = next((name for name in formats.names() if formats.config(name).matches(root)), None)
    local = formats.build(formats.config(name)(), root) if name else None
    if not isinstance(local, LeRobotDataset):
        raise UserError(f"{address} is not a LeRobot dataset v2.0, v2.1 or v3.0; only those are read from elsewhere.")
    contents = _fetched(local.contents, mirror.fetch, _identity(root, str(address)))
    return LeRobotDataset(root, local.format, local.header, contents)


def _source(address: Address, root: Path) -> Source:
    return HubFiles(address, root) if address.repo_id else WebFiles(address.url)


def _fetched(contents: Contents, fetch: Callable[[Path], Path], identity: str) -> Contents:
    def files(paths: Sequence[Path]) -> Files:
        return Files(len(paths), lambda number: fetch(paths[number]))

    clips = {key: replace(each, paths=files(each.paths)) for key, each in contents.clips.items()}
    return replace(contents, tables=files(contents.tables), clips=clips, identity=identity)


def _identity(root: Path, address: str) -> str:
    """Tell this state of the dataset from others by its metadata: its tables may not be here."""
    digest = hashlib.blake2b(address.encode(), digest_size=16)
    for path in sorted((root / "meta").rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(root)} {path.stat().st_size}".encode())
            with path.open("rb") as file:
                digest.update(file.read(_WHOLE))
                if path.stat().st_size > _WHOLE:
                    file.seek(-_WHOLE, 2)
                    digest.update(file.read())
    return digest.hexdigest()
