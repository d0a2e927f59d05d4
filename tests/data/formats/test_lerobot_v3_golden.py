"""LeRobot 0.4.4 wrote the golden dataset; what we write holds the same tables, and what it wrote we read."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.formats.lerobot_v3.config import Config

DATA = "data/chunk-000/file-000.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"


SCATTERED = Config(compact=False)
"""LeRobot's own settings, each episode in files of its own."""


def frame(facts, episode, tick):
    vectors = {"action": facts.action(episode, tick), "observation.state": facts.state(episode, tick)}
    return vectors | {key: facts.picture(key, episode, tick) for key in facts.CAMERAS}


def specs(facts):
    vector = Spec(shape=(3,), names=facts.JOINTS)
    cameras = {key: Spec(shape=(*size, 3), dtype="uint8") for key, size in facts.CAMERAS.items()}
    return {"action": vector, "observation.state": vector} | cameras


@pytest.fixture(scope="module")
def ours(facts, tmp_path_factory):
    """The golden dataset's frames, recorded by us."""
    root = tmp_path_factory.mktemp("ours") / "dataset"
    writer = create_dataset(root, specs(facts), fps=facts.FPS, robot_type=facts.ROBOT_TYPE, config=SCATTERED)
    for episode, (length, task) in enumerate(facts.EPISODES):
        for tick in range(length):
            writer.add_frame(frame(facts, episode, tick))
        writer.save_episode(task)
    writer.close()
    return root


@pytest.fixture(params=["lerobot_v3", "lerobot_v21", "ours"])
def dataset(request, golden):
    root = request.getfixturevalue("ours") if request.param == "ours" else golden / request.param
    return open_dataset(root)


def test_all_three_hold_the_same_facts(dataset, facts):
    assert (dataset.fps, dataset.robot_type) == (facts.FPS, facts.ROBOT_TYPE)
    assert dataset.specs == specs(facts)
    assert [len(episode) for episode in dataset.episodes] == [length for length, _ in facts.EPISODES]
    assert [episode.tasks for episode in dataset.episodes] == [(task,) for _, task in facts.EPISODES]
    assert list(dataset.tasks) == ["Pick up the cube", "Put it down"]
    assert dataset.column("task_index").tolist() == [0] * 4 + [1] * 5 + [0] * 3


def test_every_value_and_picture_is_where_it_belongs(dataset, facts):
    rows = np.arange(12)[::-1]
    pictures = {key: dataset.images(key, rows)[::-1] for key in facts.CAMERAS}
    for episode in dataset.episodes:
        for tick in range(len(episode)):
            row = episode.start + tick
            np.testing.assert_array_equal(dataset.column("action")[row], facts.action(episode.index, tick))
            np.testing.assert_array_equal(dataset.column("observation.state")[row], facts.state(episode.index, tick))
            for key, decoded in pictures.items():
                wanted = facts.picture(key, episode.index, tick)
                assert np.abs(decoded[row].astype(int) - wanted).max() <= 3


def test_table_schemas_equal_lerobots(ours, golden):
    for name in (DATA, EPISODES):
        wanted, got = (pq.read_schema(root / name) for root in (golden / "lerobot_v3", ours))
        assert got.remove_metadata() == wanted.remove_metadata()


def test_data_tables_describe_themselves_as_lerobots_do(ours, golden):
    wanted, got = (
        json.loads(pq.read_schema(root / DATA).metadata[b"huggingface"]) for root in (golden / "lerobot_v3", ours)
    )
    assert got["info"] == wanted["info"]
    assert int(got["fingerprint"], 16) >= 0


def test_tables_are_packed_as_lerobots_are(ours):
    file = pq.ParquetFile(ours / DATA)
    column = file.metadata.row_group(0).column(0)
    assert file.metadata.num_row_groups == 1
    assert column.compression == "SNAPPY"
    assert "RLE_DICTIONARY" in column.encodings


def test_pandas_finds_the_tasks_by_their_text(ours):
    schema = pq.read_schema(ours / "meta/tasks.parquet")
    pandas = json.loads(schema.metadata[b"pandas"])
    assert schema.names == ["task_index", "task"]
    assert pandas["index_columns"] == ["task"]
    assert {column["field_name"] for column in pandas["columns"]} == {"task_index", "task"}


def test_info_has_the_keys_of_lerobot_0_6_in_its_order(ours, golden):
    ours_info, golden_info = (json.loads((r / "meta/info.json").read_text()) for r in (ours, golden / "lerobot_v3"))
    assert list(ours_info) == [
        "codebase_version", "fps", "features", "total_episodes", "total_frames", "total_tasks", "chunks_size",
        "data_files_size_in_mb", "video_files_size_in_mb", "data_path", "video_path", "robot_type", "splits",
    ]  # fmt: skip
    assert ours_info.keys() == golden_info.keys()
    features = ours_info.pop("features"), golden_info.pop("features")
    assert ours_info == golden_info
    assert list(features[0]) == list(features[1])
    for got, wanted in zip(features[0].values(), features[1].values(), strict=True):
        info, wanted_info = got.pop("info", {}), wanted.pop("info", {})
        assert got == wanted
        # 0.6 says more about the encoder, and has renamed `video.is_depth_map`.
        wanted_info.pop("video.is_depth_map", None)
        assert wanted_info.items() <= info.items()


def test_the_episodes_tables_agree_but_for_the_files(ours, golden):
    tables = [pq.read_table(root / EPISODES).to_pydict() for root in (ours, golden / "lerobot_v3")]
    for name in ("episode_index", "tasks", "length", "dataset_from_index", "dataset_to_index"):
        assert tables[0][name] == tables[1][name]
    for name in (column for column in tables[0] if column.endswith(("/min", "/max", "/mean", "/count"))):
        for got, wanted in zip(tables[0][name], tables[1][name], strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-6, err_msg=name)


def test_the_statistics_agree(ours, golden, facts):
    got, wanted = open_dataset(ours).stats, open_dataset(golden / "lerobot_v3").stats
    assert got.keys() == wanted.keys()
    for key in got:
        for name in ("min", "max", "mean"):
            np.testing.assert_allclose(getattr(got[key], name), getattr(wanted[key], name), atol=1e-6)
        assert got[key].count == wanted[key].count
        if key not in facts.CAMERAS:  # LeRobot 0.4.4 leaves out how plain pictures differ from one another
            np.testing.assert_allclose(got[key].std, wanted[key].std, atol=1e-6)


def test_recording_goes_on_where_lerobot_stopped(golden, facts, tmp_path):
    root = shutil.copytree(golden / "lerobot_v3", tmp_path / "dataset")
    before = {path: path.read_bytes() for path in root.rglob("file-*")}
    writer = create_dataset(
        root, specs(facts), fps=facts.FPS, robot_type=facts.ROBOT_TYPE, resume=True, config=SCATTERED
    )
    assert writer.num_episodes == 3
    for tick in range(2):
        writer.add_frame(frame(facts, 1, tick))
    writer.save_episode("Something new")
    writer.close()
    dataset = open_dataset(root)
    assert check(root) == []
    assert [(episode.start, episode.stop) for episode in dataset.episodes] == [(0, 4), (4, 9), (9, 12), (12, 14)]
    assert list(dataset.tasks) == ["Pick up the cube", "Put it down", "Something new"]
    assert dataset.stats["action"].count == 14
    assert all(path.read_bytes() == data for path, data in before.items()), "LeRobot's files are left alone"
