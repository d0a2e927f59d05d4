"""What else datasets hold: pictures in the table, depth, flags."""

import json
import shutil

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.lerobot import schema
from etude.data.lerobot.salvage import salvage

from .conftest import DATA, FRONT


def test_pictures_inside_the_table_are_recovered(tmp_path, golden):
    """Datasets of LeRobot without videos hold a PNG file per row."""
    root = tmp_path / "dataset"
    stored = json.loads((golden / "lerobot_unfinished/meta/info.json").read_text())
    stored["features"][FRONT] = {"dtype": "image", "shape": [8, 8, 3], "names": ["height", "width", "channels"]}
    stored |= {"total_episodes": 2, "total_frames": 5, "video_path": None}
    (root / "meta").mkdir(parents=True)
    (root / "meta/info.json").write_text(json.dumps(stored))
    shutil.copy(golden / "lerobot_unfinished/meta/tasks.parquet", root / "meta")
    table = pa.concat_tables([packed(stored["features"], 0, 3, 0), packed(stored["features"], 1, 2, 3)])
    (root / DATA).parent.mkdir(parents=True)
    with pq.ParquetWriter(root / DATA, table.schema, compression="snappy") as writer:
        writer.write_table(table[:3])
        writer.write_table(table[3:])
        data = (root / DATA).read_bytes()
    (root / DATA).write_bytes(data)
    assert salvage(root).num_frames == 5
    assert check(root) == []
    shown = open_dataset(root).images(FRONT, np.arange(5))
    assert shown[:, 0, 0, 0].tolist() == [0, 1, 2, 50, 51]


def packed(features, episode, length, first):
    """One episode's rows, a picture of one grey in each."""
    tick = np.arange(length)
    png = [cv2.imencode(".png", np.full((8, 8, 3), 50 * episode + each, np.uint8))[1].tobytes() for each in tick]
    vector = [[float(episode), float(each)] for each in tick]
    columns = {
        "action": vector,
        "observation.state": vector,
        FRONT: [{"bytes": each, "path": None} for each in png],
        "timestamp": tick / 10,
        "frame_index": tick,
        "episode_index": [episode] * length,
        "index": first + tick,
        "task_index": [0] * length,
    }
    return pa.table({key: columns[key] for key in schema.data_schema(features).names}, schema.data_schema(features))


@pytest.mark.parametrize("lacks_episodes", [False, True])
def test_depth_and_flags_are_recovered_and_measured(tmp_path, lacks_episodes):
    """What LeRobot records with 0.6, by our own hand: 12-bit depth and a column of booleans."""
    root, depth = tmp_path / "dataset", "observation.images.front_depth"
    specs = {"next.done": Spec(shape=(1,), dtype="bool"), depth: Spec(shape=(48, 64, 1), dtype="uint16", unit="mm")}
    writer = create_dataset(root, specs, fps=10)
    for episode in range(2):
        for tick in range(3):
            distance = np.full((48, 64, 1), 1000 + 100 * episode + 10 * tick, np.uint16)
            writer.add_frame({"next.done": np.array([tick == 2]), depth: distance})
        writer.save_episode("Look")
    writer.close()
    wanted = open_dataset(root)
    before = {key: wanted.column(key) for key in ("next.done", "index")}, wanted.images(depth, np.arange(6))
    for path in root.rglob("file-*.parquet"):
        data = path.read_bytes()
        path.write_bytes(data[: -8 - int.from_bytes(data[-8:-4], "little")])
    if lacks_episodes:
        shutil.rmtree(root / "meta/episodes")
    salvage(root)
    after = open_dataset(root)
    for key, column in before[0].items():
        np.testing.assert_array_equal(after.column(key), column)
    np.testing.assert_array_equal(after.images(depth, np.arange(6)), before[1])
    for key in specs:
        np.testing.assert_allclose(after.stats[key].mean, wanted.stats[key].mean, atol=1)
    assert check(root) == []
