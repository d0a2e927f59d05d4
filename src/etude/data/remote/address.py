"""Telling addresses of datasets from folders."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/{1,3}(?=[^/])(.*)", re.DOTALL)
_NAME = re.compile(r"([A-Za-z0-9][\w.-]*/[\w.-]+?)(?:@([\w./-]+))?")


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a dataset lies: a URL that fsspec opens, or a name on the Hub."""

    url: str = ""
    repo_id: str = ""
    revision: str | None = None
    """Branch, tag or commit of a Hub dataset. Default: the newest version that Etude reads."""

    def __str__(self) -> str:
        if not self.repo_id:
            return re.sub(r"//[^/@]*@", "//", self.url)  # never tell a password
        return f"{self.repo_id}@{self.revision}" if self.revision else self.repo_id

    @property
    def folder(self) -> str:
        """A name for the folder that its files are kept in."""
        told = f"{self.url}|{self.repo_id}|{self.revision or ''}".encode()
        name = re.sub(r"[^\w.-]+", "-", str(self).partition("://")[2] or str(self)).strip("-")[-60:]
        return f"{name}-{hashlib.blake2b(told, digest_size=6).hexdigest()}"


def parse(root: Path | str) -> Address | None:
    """Read a URL, also one that a `Path` took a slash from; none when `root` is no URL."""
    found = _URL.fullmatch(str(root))
    if found is None or len(found[1]) == 1:  # C:/datasets
        return None
    scheme, rest = found[1].lower(), found[2].rstrip("/")
    if scheme == "hf":
        return hub_name(rest.removeprefix("datasets/"))
    if scheme == "file":
        return Address(url=f"file:///{rest}")
    return Address(url=f"{scheme}://{rest}")


def hub_name(name: Path | str) -> Address | None:
    """Read a name on the Hugging Face Hub, such as `user/name` or `user/name@v3.0`; none when it cannot be one."""
    found = _NAME.fullmatch(str(name))
    return Address(repo_id=found[1], revision=found[2]) if found else None
