import json
import shutil

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.errors import DatasetError
from etude.data import open_dataset
from etude.data.check import check

FRONT = "observation.images.front"


@pytest.fixture
def root(golden, tmp_path):
    """A copy of the golden dataset: episodes of 4, 5 and 3 frames."""
    return shutil.copytree(golden / "lerobot_v21", tmp_path / "dataset")


def change_info(root, change):
    path = root / "meta/info.json"
    info = json.loads(path.read_text())
    change(info)
    path.write_text(json.dumps(info))


def test_statistics_of_the_episodes_are_merged(root):
    stats = open_dataset(root).contents.stats["action"]
    values = open_dataset(root).column("action")
    assert stats.count == 12
    np.testing.assert_allclose(stats.mean, values.mean(0))
    np.testing.assert_allclose(stats.std, values.std(0), atol=1e-7)
    assert stats.quantiles == {}


def test_v20_keeps_statistics_of_the_whole(root):
    whole = {"action": {"min": [0] * 3, "max": [1] * 3, "mean": [0.5] * 3, "std": [0.1] * 3, "count": [12]}}
    (root / "meta/stats.json").write_text(json.dumps(whole))
    (root / "meta/episodes_stats.jsonl").unlink()
    change_info(root, lambda info: info.update(codebase_version="v2.0"))
    assert open_dataset(root).contents.stats["action"].mean.tolist() == [0.5] * 3


def test_pictures_inside_the_tables_are_read(root, facts):
    for episode, path in enumerate(sorted(root.glob("data/*/*.parquet"))):
        pictures = [facts.picture(FRONT, episode, tick) for tick in range(facts.EPISODES[episode][0])]
        packed = [{"bytes": cv2.imencode(".png", picture)[1].tobytes(), "path": None} for picture in pictures]
        pq.write_table(pq.read_table(path).append_column(FRONT, pa.array(packed)), path)
    change_info(root, lambda info: info["features"][FRONT].update(dtype="image"))
    dataset = open_dataset(root)
    assert dataset.codecs[FRONT] == "png"
    pictures = dataset.images(FRONT, np.array([11, 0, 4]))
    wanted = [facts.picture(FRONT, *place) for place in ((2, 2), (0, 0), (1, 0))]
    np.testing.assert_array_equal(pictures, wanted)
    assert dataset.images(FRONT, np.array([3]), (8, 9)).shape == (1, 8, 9, 3)
    assert dataset.images(FRONT, np.array([], int)).shape == (0, 64, 64, 3)
    assert check(root) == []


def test_colours_inside_the_tables_are_rgb(root):
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    path = root / "data/chunk-000/episode_000000.parquet"
    packed = {"bytes": cv2.imencode(".png", red[..., ::-1])[1].tobytes(), "path": None}
    for each in root.glob("data/*/*.parquet"):
        table = pq.read_table(each)
        pq.write_table(table.append_column(FRONT, pa.array([packed] * len(table))), each)
    change_info(root, lambda info: info["features"][FRONT].update(dtype="image"))
    np.testing.assert_array_equal(open_dataset(root).images(FRONT, np.array([0]))[0], red)
    table = pq.read_table(path).drop_columns([FRONT])
    pq.write_table(table.append_column(FRONT, pa.array([{"bytes": b"torn", "path": None}] * len(table))), path)
    with pytest.raises(DatasetError, match=f"the picture of '{FRONT}' in row 0 is damaged"):
        open_dataset(root).images(FRONT, np.array([0]))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("meta/episodes.jsonl", None, "cannot be read"),
        ("meta/episodes.jsonl", '{"episode_index": 0, "len', "line 1 is not JSON"),
        ("meta/tasks.jsonl", '\n{"task": "Pick"}', "line 2 lacks task_index or task"),
    ],
)
def test_a_broken_list_is_named(root, name, text, message):
    (root / name).unlink()
    if text is not None:
        (root / name).write_text(text)
    with pytest.raises(DatasetError, match=f"{name}: {message}"):
        assert open_dataset(root).tasks


def test_a_table_with_other_rows_than_its_episode_is_an_error(root):
    path = root / "data/chunk-000/episode_000001.parquet"
    pq.write_table(pq.read_table(path)[:2], path)
    with pytest.raises(DatasetError, match=r"episode_000001\.parquet: holds 2 rows, its episodes 5"):
        open_dataset(root).column("action")
