import io
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.data import open_dataset
from etude.data.check import check
from etude.data.edit import apply
from etude.data.edit.compact import compact
from etude.data.versions import locked
from etude.data.video.recode import Encoding, recode
from etude.data.video.splice import film_of

FRONT = "observation.images.front"


def states(root):
    return open_dataset(root).column("observation.state").astype(int).tolist()


def greys(root, key=FRONT):
    dataset = open_dataset(root)
    return dataset.images(key, np.arange(dataset.episodes.num_frames))[:, 24, 32, 0].astype(int)


def edited(root, plan_of):
    return apply.edit(root, "edited", plan_of)


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


@pytest.fixture(scope="session")
def _scattered(tmp_path_factory, make_dataset):
    return make_dataset(tmp_path_factory.mktemp("scattered") / "dataset", [4, 1, 3, 5])


@pytest.fixture(scope="session")
def _compacted(tmp_path_factory, _scattered):
    root = shutil.copytree(_scattered, tmp_path_factory.mktemp("compacted") / "dataset")
    with locked(root):
        assert compact(root)
    return root


@pytest.fixture
def root(tmp_path, _scattered):
    """Episodes of 4, 1, 3 and 5 frames, each in files of its own."""
    return shutil.copytree(_scattered, tmp_path / "dataset")


@pytest.fixture
def compacted(tmp_path, _compacted):
    """The same episodes in one table and one video."""
    return shutil.copytree(_compacted, tmp_path / "dataset")


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


def png(number):
    cv2 = pytest.importorskip("cv2")
    return io.BytesIO(cv2.imencode(".png", np.full((4, 6, 3), number % 256, np.uint8))[1]).getvalue()


LANGUAGE = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("camera", pa.string())]))
FEATURES = {
    "note": {"dtype": "string", "shape": [1], "names": None},
    "language_events": {"dtype": "language", "shape": [1], "names": None},
    "observation.images.still": {"dtype": "image", "shape": [4, 6, 3], "names": ["height", "width", "channels"]},
}


@pytest.fixture
def add_columns():
    """Give a dataset columns of text, of messages and of PNG files; what they hold tells the row."""

    def add(root):
        header = json.loads((root / "meta/info.json").read_text())
        features = header["features"]
        header["features"] = {"action": features.pop("action")} | FEATURES | features
        (root / "meta/info.json").write_text(json.dumps(header))
        for path in root.glob("data/*/*.parquet"):
            table = pq.read_table(path)
            rows = table["index"].to_pylist()
            said = [[{"role": "user", "content": f"say {row}", "camera": None}] if row % 2 else [] for row in rows]
            table = table.append_column("note", pa.array([f"row {row}" for row in rows]))
            table = table.append_column("language_events", pa.array(said, LANGUAGE))
            stored = [{"bytes": png(row), "path": f"{row}.png"} for row in rows]
            table = table.append_column("observation.images.still", pa.array(stored))
            names = [name for name, feature in header["features"].items() if feature["dtype"] != "video"]
            pq.write_table(table.select(names), path)

    return add


@pytest.fixture
def sound():
    """Assert that a dataset holds what it promises."""

    def assert_sound(root):
        assert check(root) == []

    return assert_sound
