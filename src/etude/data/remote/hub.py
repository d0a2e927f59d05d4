"""Files of a dataset on the Hugging Face Hub, or on a server that speaks like it (`$HF_ENDPOINT`)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etude.core.errors import MissingExtra, UserError
from etude.core.files import write_json
from etude.data.remote.address import Address
from etude.data.remote.source import Source, Unreachable
from etude.data.remote.web import NOTES

_VERSION_TAG = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NEWEST = {3: 0, 2: 1}
"""The newest minor version of each major one that is read, best first."""


class HubFiles(Source):
    """One version of a dataset on the Hub; `huggingface_hub` resumes transfers and skips what has not changed."""

    def __init__(self, address: Address, root: Path) -> None:
        self._address, self._root, self._commit = address, root, ""
        try:
            import huggingface_hub.errors  # noqa: PLC0415  an extra
            from huggingface_hub.hf_api import RepoFile  # noqa: PLC0415
        except ImportError as error:
            what = f"'{address}' is no folder here; reading it from the Hugging Face Hub"
            raise MissingExtra(what, "remote") from error
        self._client, self._errors, self._file_kind = huggingface_hub, huggingface_hub.errors, RepoFile
        self._is_offline = False
        self._endpoint = os.environ.get("HF_ENDPOINT") or None
        self._api = huggingface_hub.HfApi(endpoint=self._endpoint)

    def listing(self, folder: str) -> list[str] | None:
        """List the files below `folder`."""
        commit = self.commit()
        if self._is_offline:
            raise Unreachable(f"{self._api.endpoint} does not answer")
        try:
            entries = self._api.list_repo_tree(
                self._address.repo_id, folder, recursive=True, revision=commit, repo_type="dataset"
            )
            return [entry.path for entry in entries if isinstance(entry, self._file_kind)]
        except self._errors.EntryNotFoundError:
            return []
        except Exception as error:
            raise Unreachable(_reason(error)) from error

    def fetch(self, path: str, root: Path) -> bool:
        """Make `root / path` the file of the version that is read."""
        commit = self.commit()
        try:
            self._client.hf_hub_download(
                self._address.repo_id,
                path,
                repo_type="dataset",
                revision=commit,
                local_dir=root,
                local_files_only=self._is_offline,  # else it goes on trying for a minute
                endpoint=self._endpoint,
            )
        except self._errors.LocalEntryNotFoundError as error:
            raise Unreachable(_reason(error)) from error
        except self._errors.EntryNotFoundError:
            return False
        except Exception as error:
            raise Unreachable(_reason(error)) from error
        return True

    def commit(self) -> str:
        """Give the commit of the revision asked for, or of the best version tag; the last known one when offline."""
        if not self._commit:
            note = self._root / NOTES / "commit.json"
            try:
                self._commit = self._resolved()
                write_json(note, {"commit": self._commit})
            except Unreachable:
                self._commit, self._is_offline = _noted(note), True
                if not self._commit:
                    raise
        return self._commit

    def _resolved(self) -> str:
        wanted = self._address.revision
        if wanted and _COMMIT.fullmatch(wanted):
            return wanted
        try:
            refs = self._api.list_repo_refs(self._address.repo_id, repo_type="dataset")
        except self._errors.RepositoryNotFoundError as error:
            raise UserError(
                f"There is no dataset '{self._address.repo_id}' at {self._api.endpoint}, or it is private: then log in "
                "with `hf auth login`."
            ) from error
        except Exception as error:
            raise Unreachable(_reason(error)) from error
        tags = {ref.name: ref.target_commit for ref in refs.tags}
        branches = {ref.name: ref.target_commit for ref in refs.branches}
        if wanted:
            if wanted not in tags | branches:
                known = ", ".join(sorted([*tags, *branches]))
                raise UserError(f"{self._address.repo_id} has no revision '{wanted}'. It has {known}.")
            return (branches | tags)[wanted]
        return tags.get(best_version(tags, str(self._address))) or branches["main"]


def best_version(tags: Mapping[str, Any], name: str) -> str:
    """Choose the tag of the newest version that Etude reads; "" where no tag is a version.

    As LeRobot does it: the newest minor version that is not newer than the reader's own. Raises `UserError` when every
    version is too new or too old.
    """
    found = {tag: _VERSION_TAG.fullmatch(tag) for tag in tags}
    versions = {tag: (int(match[1]), int(match[2])) for tag, match in found.items() if match}
    for major, newest in _NEWEST.items():
        readable = [tag for tag, version in versions.items() if version[0] == major and version[1] <= newest]
        if readable:
            return max(readable, key=lambda tag: versions[tag])
    if versions:
        raise UserError(f"{name} has the versions {', '.join(sorted(versions))}; Etude reads v2.0, v2.1 and v3.0.")
    return ""


def _noted(note: Path) -> str:
    try:
        return json.loads(note.read_text(encoding="utf-8"))["commit"]
    except (OSError, ValueError, KeyError):
        return ""


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    return " ".join(str(cause).split()) or type(cause).__name__
