"""`etude dataset reencode`: encode all videos again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.editing import Edit, run_edit
from etude.core.errors import UserError
from etude.data.formats.lerobot_v3.config import Vcodec


@dataclass(frozen=True, kw_only=True)
class DatasetReencode:
    """Encode all videos again, episode by episode; depth, which loses nothing, stays as it is."""

    root: Positional[Path]
    """The dataset's folder."""
    vcodec: Vcodec = "libsvtav1"
    """Video encoder."""
    crf: int = 30
    """Quality: 0 is best, 63 (51 for h264 and hevc) smallest."""
    g: int = 2
    """Frames per key frame; few make random access fast."""
    preset: str = ""
    """Effort, in the encoder's own words; empty: its default, 12 for libsvtav1."""
    undo: bool = False
    """Take back the last edit of this dataset, whatever it was."""


COMMAND = DatasetReencode


def run(command: DatasetReencode) -> int:
    """Encode again, or undo."""
    return run_edit(command, _edit)


def _edit(command: DatasetReencode) -> Edit:
    from etude.data.edit import edits

    if command.g < 1 or not 0 <= command.crf <= 63:
        raise UserError(f"g should be at least 1 and crf from 0 to 63, got {command.g} and {command.crf}.")
    preset = int(command.preset) if command.preset.isdecimal() else command.preset or None
    what = f"encoded again with {command.vcodec}, crf {command.crf}, g {command.g}"
    return what, lambda source: edits.recoded(
        source, vcodec=command.vcodec, crf=command.crf, g=command.g, preset=preset
    )
