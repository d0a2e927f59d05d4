"""Finding a dataset's format, and starting a new dataset."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from etude.core.errors import DatasetError, UserError
from etude.core.spec import Specs
from etude.data.dataset import Dataset, DatasetWriter
from etude.data.formats import formats
from etude.data.remote.address import Address, hub_name, parse
from etude.data.versions import resting_place

_MOST_NAMES = 8
"""Entries of a folder that a message lists."""


def lerobot_home() -> Path:
    """Give the folder where LeRobot keeps datasets by name: `$HF_LEROBOT_HOME`, else `$HF_HOME/lerobot`."""
    cache = Path(os.environ.get("HF_HOME", "~/.cache/huggingface"))
    return Path(os.environ.get("HF_LEROBOT_HOME", cache / "lerobot")).expanduser()


def open_dataset(root: Path | str) -> Dataset:
    """Open the dataset in folder `root`, whatever its format; or that of a URL, or of a name such as `user/name`.

    A name is looked for among the folders here, then in LeRobot's home, then on the Hugging Face Hub. Raises
    `UserError` when there is no dataset, `DatasetError` when a file of it is missing or damaged, or the network is.
    """
    address = parse(root)
    if address is not None:
        return _open_remote(address)
    found = resting_place(Path(root))
    name = _format_of(found)
    if name is not None:
        return formats.build(formats.config(name)(), found)
    named = _hub_name(found)
    if named is None:
        raise UserError(_not_a_dataset(found))
    if named.revision is None and (lerobot_home() / named.repo_id).is_dir():
        return open_dataset(lerobot_home() / named.repo_id)
    try:
        return _open_remote(named)
    except DatasetError as error:
        if str(error.path) != str(named):
            raise
        what = f"{found} is no folder here and no dataset in {lerobot_home()}, and on the Hugging Face Hub it"
        raise UserError(f"{what} {error.problem}") from error


def create_dataset(
    root: Path | str,
    specs: Specs,
    fps: int = 30,
    robot_type: str | None = None,
    *,
    resume: bool = False,
    config: Any = None,
) -> DatasetWriter:
    """Start a dataset in folder `root`, or with `resume` add to the one there; `config` holds the write options.

    Without a `config` a new dataset is LeRobot v3.0, recorded with LeRobot's own video settings. Raises `UserError`
    when `root` is taken, when there is nothing to resume, or when what is there has other specs, fps or robot.
    """
    root = Path(root)
    name = _format_of(root)
    if resume and name is None:
        raise UserError(f"{_not_a_dataset(root)} There is nothing to resume: record without resume first.")
    if not resume and root.exists() and (not root.is_dir() or any(root.iterdir())):
        what = "already holds a dataset; add to it with --resume, or" if name else f"is not empty ({_listing(root)});"
        raise UserError(f"{root} {what} choose another folder.")
    config = config or formats.config(name or "lerobot_v3")()
    module = _writer_module(config)
    return (module.resume if resume else module.create)(config, root, specs, fps, robot_type)


def _hub_name(root: Path) -> Address | None:
    """Read a name on the Hub, unless a folder was meant: then its first part is there."""
    return None if root.exists() or Path(root.parts[0]).exists() else hub_name(root)


def _open_remote(address: Address) -> Dataset:
    from etude.data.remote.opening import open_remote  # noqa: PLC0415  most datasets are here

    return open_remote(address)


def _format_of(root: Path) -> str | None:
    return next((name for name in formats.names() if formats.config(name).matches(root)), None)


def _writer_module(config: Any) -> Any:
    package = type(config).__module__.rpartition(".")[0]
    try:
        return importlib.import_module(f"{package}.writer")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.writer":
            raise
        name = formats.name_of(config)
        raise UserError(f"Datasets of format {name} can be read, not written. Record into a new folder.") from None


def _not_a_dataset(root: Path) -> str:
    if not root.exists():
        return f"{root} is not a dataset: there is no such folder."
    wanted = ", or ".join(formats.config(name).LOOKS_FOR for name in formats.names())
    return f"{root} is not a dataset. Looked for {wanted}. {_holding(root)}"


def _holding(root: Path) -> str:
    return f"The folder holds {_listing(root)}." if root.is_dir() else "It is a file; give the folder."


def _listing(root: Path) -> str:
    names = sorted(path.name for path in root.iterdir())
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(names[:_MOST_NAMES]) + more) or "nothing"
