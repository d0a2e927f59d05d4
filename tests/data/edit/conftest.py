import json

import numpy as np
import pytest

from etude.data import open_dataset
from etude.data.video.recode import Encoding, recode
from etude.data.video.splice import film_of


def contents(root):
    """Everything that a dataset holds, as plain values: what an edit must keep, and what it must change."""
    dataset = open_dataset(root)
    rows = np.arange(dataset.episodes.num_frames)
    columns = {key: dataset.column(key) for key in dataset.header.columns()}
    pictures = {key: dataset.images(key, rows) for key in dataset.codecs}
    tasks = [dataset.tasks[number] for number in columns["task_index"]]
    return {"length": dataset.episodes.length.tolist(), "tasks": tasks, **columns, **pictures}


def same(one, other):
    assert one.keys() == other.keys()
    for key, values in one.items():
        assert np.array_equal(values, other[key]), key


contents.same = same


@pytest.fixture
def contents_of():
    return contents


@pytest.fixture
def files_of():
    """List all files of a dataset, with what tells whether they are still the same."""

    def files(root):
        return {path.relative_to(root).as_posix(): path.stat().st_ino for path in root.rglob("*") if path.is_file()}

    return files


@pytest.fixture
def limits():
    """Set the sizes at which a dataset begins another file, in megabytes."""

    def set_limits(root, **megabytes):
        path = root / "meta/info.json"
        sizes = {f"{kind}_files_size_in_mb": size for kind, size in megabytes.items()}
        path.write_text(json.dumps(json.loads(path.read_text()) | sizes))

    return set_limits


@pytest.fixture
def reencode_file():
    """Encode a video file again, in its place."""

    def reencoded(path, vcodec):
        draft = path.with_suffix(".new.mp4")
        film = film_of(path)
        recode(film, 0, film.num_frames, draft, Encoding(vcodec=vcodec, options={"g": "2"}))
        draft.replace(path)

    return reencoded
