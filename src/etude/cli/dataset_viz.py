"""`etude dataset viz`: an episode to look at."""

from __future__ import annotations

import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from etude.cli.editing import shown
from etude.core.errors import UserError

if TYPE_CHECKING:
    from etude.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class DatasetViz:
    """Write an episode as one web page that plays anywhere: cameras, joints and late frames under one cursor."""

    root: Positional[Path]
    """The dataset's folder."""
    episode: int = 0
    """Its number."""
    output: Path | None = None
    """The page. Default: NAME-episode-N.html in the folder where you are."""
    h264: bool = False
    """Encode the videos as H.264, for browsers that do not play AV1."""
    open: bool = False
    """Show the page in the browser."""
    rerun: bool = False
    """Show the episode in the rerun viewer instead."""
    save: Path | None = None
    """Write a recording for rerun, such as episode.rrd, instead."""

    def __post_init__(self) -> None:
        if self.save is not None and self.save.suffix != ".rrd":
            raise UserError(f"save should be the name of a recording such as episode.rrd, got {self.save}.")


COMMAND = DatasetViz


def run(command: DatasetViz) -> int:
    """Write the page or the recording, or open the viewer."""
    from etude.data import open_dataset

    dataset = open_dataset(command.root)
    if command.rerun or command.save is not None:
        return _rerun(command, dataset)
    return _page(command, dataset)


def _page(command: DatasetViz, dataset: Dataset) -> int:
    from etude.data.viz.page import write_page

    path = (command.output or Path(f"{command.root.resolve().name}-episode-{command.episode}.html")).absolute()
    with shown("writing the page") as tell:
        write_page(dataset, command.episode, path, h264=command.h264, tell=tell)
    print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB). Open it in a browser; it needs nothing else.")
    if command.open:
        webbrowser.open(path.as_uri())
    return 0


def _rerun(command: DatasetViz, dataset: Dataset) -> int:
    from etude.data.viz.rerun import open_viewer, write_recording

    with shown("reading the episode") as tell:
        if command.save is None:
            open_viewer(dataset, command.episode, tell)
        else:
            write_recording(dataset, command.episode, command.save, tell)
    if command.save is not None:
        print(f"Wrote {command.save}. Open it with: rerun {command.save}")
    return 0
