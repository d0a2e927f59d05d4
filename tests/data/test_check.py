import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.errors import UserError
from etude.data import open_dataset
from etude.data.check import check

DATA = "data/chunk-000/file-000.parquet"
VIDEO = "videos/observation.images.front/chunk-000/file-002.mp4"


@pytest.fixture
def root(recorded, tmp_path):
    """A dataset to break: episodes of 4, 1 and 3 frames."""
    return shutil.copytree(recorded, tmp_path / "dataset")


def change_info(root, **values):
    path = root / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def change_column(root, key, change):
    table = pq.read_table(root / DATA)
    values = change(table[key].to_numpy().copy())
    pq.write_table(table.set_column(table.schema.get_field_index(key), key, pa.array(values)), root / DATA)


def found(root):
    return [str(problem) for problem in check(root)]


@pytest.mark.parametrize("name", ["lerobot_v3", "lerobot_v21"])
def test_sound_datasets_have_no_problem(golden, recorded, name):
    assert check(golden / name) == []
    assert check(recorded) == []


def test_a_folder_that_is_no_dataset_cannot_be_checked(tmp_path):
    with pytest.raises(UserError, match="is not a dataset"):
        check(tmp_path)


@pytest.mark.parametrize(("name", "there"), [("total_frames", 8), ("total_tasks", 1)])
def test_a_counter_that_counts_wrong(root, name, there):
    change_info(root, **{name: 99})
    assert any(problem.startswith(f"meta/info.json: {name} is 99, but there are {there}.") for problem in found(root))


@pytest.mark.parametrize(
    ("key", "change", "wrong"),
    [
        ("index", lambda values: values + 1, "'index' is wrong in 4 of 4 rows, first at frame 0"),
        ("frame_index", lambda values: values[::-1].copy(), "'frame_index' is wrong in 4 of 4 rows"),
        ("timestamp", lambda values: values + np.float32([0, 0, 0.01, 0]), "'timestamp' is wrong in 1 of 4 rows"),
        ("task_index", lambda values: values + 1, "'task_index' is wrong in 4 of 4 rows"),
        ("episode_index", lambda values: values + 1, "'episode_index' is wrong in 4 of 4 rows"),
    ],
)  # fmt: skip
def test_a_column_that_disagrees_with_its_rows(root, key, change, wrong):
    change_column(root, key, change)
    (problem,) = found(root)
    assert problem.startswith(f"episode 0: {wrong}")
    assert problem.endswith("copy the dataset again.")


def test_a_video_with_fewer_frames_than_rows(root):
    shutil.copy(root / VIDEO.replace("2.mp4", "1.mp4"), root / VIDEO)
    assert any(VIDEO in problem and "holds 1 frames, its episodes 3 rows" in problem for problem in found(root))
    assert any(VIDEO in problem and "holds no frame 2 of 1" in problem for problem in found(root))


def test_a_dropped_frame_shows_in_the_episodes_table(root):
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    name = "videos/observation.images.front/to_timestamp"
    ends = pa.array([0.3, *table[name].to_pylist()[1:]])
    pq.write_table(table.set_column(table.schema.get_field_index(name), name, ends), path)
    assert any(
        problem.startswith("episode 0: the video of observation.images.front lasts 3 frames, the table 4 rows")
        for problem in found(root)
    )


@pytest.mark.parametrize("name", [DATA, VIDEO, "meta/tasks.parquet", "meta/episodes/chunk-000/file-000.parquet"])
@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_a_damaged_file_is_named_once_with_what_to_do(root, name, damage):
    path = root / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    problems = found(root)
    assert problems
    named = [problem for problem in problems if name in problem or damage == "missing"]
    assert named
    assert all(problem.endswith(".") for problem in problems)


def test_missing_statistics(root):
    path = root / "meta/stats.json"
    stats = json.loads(path.read_text())
    del stats["action"]
    stats["observation.state"]["mean"] = [0.0]
    path.write_text(json.dumps(stats))
    assert [problem.partition(": ")[2].partition(":")[0] for problem in found(root)] == [
        "the statistics of 'observation.state' are shaped [1], not [2]. Training normalises with it",
        "'action' has no statistics. Training normalises with it",
    ]


def test_the_real_dataset_is_sound(g1_bottle):
    assert check(g1_bottle) == []


def test_the_real_dataset_opens_and_its_first_and_last_frames_decode(g1_bottle):
    dataset = open_dataset(g1_bottle)
    assert (dataset.format, len(dataset.episodes), dataset.fps) == ("lerobot_v21", 10, 30)
    assert dataset.column("action").shape == (2819, 26)
    assert dataset.specs["action"].names[0] == "kLeftShoulderPitch"
    key = "observation.images.cam_high"
    pictures = dataset.images(key, np.array([0, 2818]))
    assert pictures.shape == (2, 480, 640, 3)
    mean = dataset.stats[key].mean.ravel() * 255
    np.testing.assert_allclose(pictures.mean((0, 1, 2)), mean, atol=12)
