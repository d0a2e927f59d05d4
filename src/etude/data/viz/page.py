"""An episode as one web page: its videos and curves are inside, and nothing is ever fetched."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.files import atomic
from etude.data.dataset import Dataset
from etude.data.viz.clip import write_clip
from etude.data.viz.episode import Plot, Shown, shown

Tell = Callable[[int, int], None]
"""Is told how many of how many cameras are done."""


def write_page(dataset: Dataset, number: int, path: Path, *, h264: bool = False, tell: Tell = lambda *_: None) -> None:
    """Write the page of the episode at position `number`; with `h264` its videos play in every browser.

    Raises `UserError` when there is no such episode.
    """
    found = shown(dataset, number)
    videos: list[tuple[str, bytes]] = []
    with tempfile.TemporaryDirectory(prefix="etude-viz-") as folder:
        for done, key in enumerate(dataset.codecs, 1):
            clip = Path(folder) / f"{done}.mp4"
            write_clip(dataset, key, number, clip, h264=h264)
            videos.append((key, clip.read_bytes()))
            tell(done, len(dataset.codecs))
    parts = {
        "TITLE": _text(f"Episode {number} of {dataset.root.name}"),
        "STYLE": _part("page.css"),
        "SCRIPT": _part("page.js"),
        "FACTS": _script("application/json", "facts", json.dumps(_facts(found), ensure_ascii=False)),
        "VIDEOS": "\n".join(
            _script("text/plain", f"video-{at}", base64.b64encode(data).decode()) for at, (_, data) in enumerate(videos)
        ),
    }
    page = _part("page.html")
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text, 1)
    with atomic(path) as draft:
        draft.write_text(page, encoding="utf-8")


def _facts(found: Shown) -> dict[str, Any]:
    dataset, episode = found.dataset, found.episode
    return {
        "dataset": dataset.root.name,
        "number": found.number,
        "count": len(dataset.episodes),
        "frames": len(episode),
        "fps": dataset.fps,
        "tasks": found.tasks,
        "robot": dataset.robot_type,
        "format": dataset.format,
        "late": found.late,
        "rate": None if np.isnan(found.rate_hz) else round(found.rate_hz, 2),
        "cameras": [
            {
                "key": key,
                "name": key.removeprefix("observation.").removeprefix("images."),
                "height": dataset.specs[key].shape[0],
                "width": dataset.specs[key].shape[1],
                "codec": codec,
                "is_depth": dataset.specs[key].is_depth,
                "repeated": found.repeated.get(key, []),
            }
            for key, codec in dataset.codecs.items()
        ],
        "plots": [_plot(plot) for plot in found.plots],
    }


def _plot(plot: Plot) -> dict[str, Any]:
    lines = [
        {"label": line.label, "values": base64.b64encode(line.values.astype("<f4").tobytes()).decode()}
        for line in plot.lines
    ]
    return {"title": plot.title, "unit": plot.unit, "lines": lines}


def _part(name: str) -> str:
    return resources.files("etude.data.viz").joinpath(name).read_text(encoding="utf-8")


def _text(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")


def _script(kind: str, name: str, data: str) -> str:
    """Put data into the page so that no text in it can end the element it is in."""
    return f'<script type="{kind}" id="{name}">{data.replace("<", chr(92) + "u003c")}</script>'
