import json
import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from etude.core.errors import DatasetError, SpecMismatch, UserError
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.draft import drafts
from etude.data.formats.lerobot_v3 import layout
from etude.data.formats.lerobot_v3 import writer as writer_module
from etude.data.formats.lerobot_v3.config import Config
from etude.data.timing import Timing

FRONT = "observation.images.front"


def test_a_new_dataset_is_empty_and_opens(tmp_path, specs):
    create_dataset(tmp_path / "new", specs, fps=15).close()
    dataset = open_dataset(tmp_path / "new")
    assert (len(dataset.episodes), dataset.fps, dataset.robot_type, dataset.tasks) == (0, 15, None, [])
    assert dataset.column("action").shape == (0, 2)
    assert dataset.images(FRONT, np.array([], int)).shape == (0, 48, 64, 3)
    assert check(tmp_path / "new") == []


def test_without_cameras_there_are_no_videos(tmp_path):
    writer = create_dataset(tmp_path / "new", {"action": Spec(shape=(1,)), "done": Spec(shape=(1,), dtype="bool")})
    for tick in range(3):
        writer.add_frame({"action": np.array([tick], np.float32), "done": np.array([tick == 2])})
    writer.save_episode("Count")
    writer.close()
    dataset = open_dataset(tmp_path / "new")
    assert json.loads((tmp_path / "new/meta/info.json").read_text())["video_path"] is None
    assert not (tmp_path / "new/videos").exists()
    assert dataset.column("action").tolist() == [[0], [1], [2]]
    assert dataset.column("done").tolist() == [[False], [False], [True]]
    assert dataset.column("index").tolist() == [0, 1, 2]
    assert check(tmp_path / "new") == []


def test_a_frame_that_does_not_fit_leaves_the_episode_as_it_was(tmp_path, specs, make_frame):
    writer = create_dataset(tmp_path / "new", specs, config=Config.tiny())
    writer.add_frame(make_frame(0, 0))
    with pytest.raises(SpecMismatch, match=r"'action' should be float32\[2\], got float64\[2\]"):
        writer.add_frame(make_frame(0, 1) | {"action": np.zeros(2)})
    writer.add_frame(make_frame(0, 1))
    writer.save_episode("Do it")
    writer.close()
    assert open_dataset(tmp_path / "new").column("observation.state").tolist() == [[0, 0], [0, 1]]


def test_a_discarded_episode_leaves_no_trace(tmp_path, specs, make_frame, make_dataset):
    root = make_dataset(tmp_path / "new", [2])
    before = sorted(path for path in root.rglob("*"))
    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=True)
    for end in (writer.discard_episode, writer.close):
        writer.add_frame(make_frame(9, 0))
        end()
    assert sorted(root.rglob("*")) == before
    assert len(open_dataset(root).episodes) == 1


def test_an_empty_episode_is_not_saved(tmp_path, specs):
    writer = create_dataset(tmp_path / "new", specs)
    with pytest.raises(UserError, match="the episode is empty"):
        writer.save_episode("Nothing")


@pytest.mark.parametrize(
    ("key", "spec", "message"),
    [
        ("a/b", Spec(shape=(2,)), "has a '/'"),
        ("index", Spec(shape=(1,)), "the name of its own column"),
        ("grid", Spec(shape=(2, 2)), r"'grid' is float32\[2, 2\]"),
        ("number", Spec(shape=()), r"'number' is float32\[\]"),
    ],
)
def test_what_the_format_cannot_hold_is_refused_before_anything_is_written(tmp_path, key, spec, message):
    with pytest.raises(UserError, match=message):
        create_dataset(tmp_path / "new", {key: spec})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fps": 30}, "fps should stay 10, got 30"),
        ({"robot_type": "other"}, "robot_type should stay fake, got other"),
        ({"specs": {"action": Spec(shape=(2,))}}, r"keys should stay .*state float32.*, got observation.state absent"),
    ],
)
def test_resuming_with_something_else_is_refused(recorded, specs, change, message):
    with pytest.raises(UserError, match=message):
        create_dataset(recorded, **({"specs": specs, "fps": 10, "robot_type": "fake", "resume": True} | change))


def test_recording_goes_on_after_closing(tmp_path, make_dataset):
    root = make_dataset(tmp_path / "new", [2, 3], task="First")
    make_dataset(root, [1], first=2, resume=True, task="Second")
    make_dataset(root, [2], first=3, resume=True, task="First")
    dataset = open_dataset(root)
    assert check(root) == []
    assert dataset.column("observation.state").tolist() == [
        [0, 0], [0, 1], [1, 0], [1, 1], [1, 2], [2, 0], [3, 0], [3, 1],
    ]  # fmt: skip
    assert [episode.tasks[0] for episode in dataset.episodes] == ["First", "First", "Second", "First"]
    greys = dataset.images(FRONT, np.array([5, 6]))[:, 0, 0, 0]
    np.testing.assert_allclose(greys, [120, 170], atol=3)
    whole = Stats.of(dataset.column("observation.state"))
    np.testing.assert_allclose(dataset.stats["observation.state"].mean, whole.mean)
    np.testing.assert_allclose(dataset.stats["observation.state"].std, whole.std)


def test_a_full_chunk_is_followed_by_the_next():
    assert layout.after([], 1000) == (0, 0)
    assert layout.after([(0, 3), (0, 2)], 1000) == (0, 4)
    assert layout.after([(0, 999)], 1000) == (1, 0)
    assert layout.path_of(layout.VIDEO_PATH, (1, 0), "cam") == "videos/cam/chunk-001/file-000.mp4"


def test_options_are_checked_and_written_down(tmp_path, specs, make_frame):
    with pytest.raises(UserError, match="g should be at least 1, got 0"):
        Config(g=0)
    writer = create_dataset(tmp_path / "new", specs, config=Config(vcodec="h264", crf=20, video_files_size_in_mb=50))
    writer.add_frame(make_frame(0, 0))
    writer.save_episode("Do it")
    writer.close()
    info = json.loads((tmp_path / "new/meta/info.json").read_text())
    assert info["video_files_size_in_mb"] == 50
    video = info["features"][FRONT]["info"]
    assert (video["video.codec"], video["video.crf"], video["video.preset"]) == ("h264", 20, None)
    assert check(tmp_path / "new") == []


@pytest.mark.parametrize("allowed", range(7))
def test_a_commit_that_breaks_off_anywhere_loses_nothing(
    tmp_path, specs, make_frame, make_dataset, monkeypatch, allowed
):
    """After so many files nothing can be put in its place any more, as on a disk that fills up."""
    root = make_dataset(tmp_path / "new", [2])
    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=True, config=Config.tiny())
    writer.add_frame(make_frame(1, 0))
    placed, place = [], Path.replace

    def replace(path, target):
        if path.name.endswith(".tmp") and len(placed) >= allowed:
            raise OSError(28, "No space left on device")
        placed.append(target)
        return place(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(DatasetError, match=r"cannot be written: .*No space left on device.*kept as a draft"):
            writer.save_episode("Another task")
    assert writer.num_episodes == 1
    dataset = open_dataset(root)
    assert len(dataset.episodes) == 1
    assert dataset.tasks == ["Do it"]
    assert dataset.stats["action"].count == 2
    assert check(root) == []

    [draft] = drafts(root)
    assert draft.num_frames == 1
    writer.add_frame(make_frame(1, 0))  # there is room again: the same writer goes on
    writer.save_episode("Another task")
    writer.keep_draft(draft, "Do it")
    writer.close()
    assert check(root) == []
    dataset = open_dataset(root)
    assert [episode.tasks for episode in dataset.episodes] == [("Do it",), ("Another task",), ("Do it",)]
    assert dataset.column("observation.state").tolist() == [[0, 0], [0, 1], [1, 0], [1, 0]]
    assert drafts(root) == []


def test_what_a_crash_left_is_overwritten_when_recording_goes_on(tmp_path, make_dataset):
    root = make_dataset(tmp_path / "new", [2, 3])
    info = json.loads((root / "meta/info.json").read_text())  # as if killed just before the second commit
    info |= {"total_episodes": 1, "total_frames": 2, "splits": {"train": "0:1"}}
    (root / "meta/info.json").write_text(json.dumps(info))
    dataset = open_dataset(root)
    assert (len(dataset.episodes), dataset.stats["action"].count) == (1, 2)

    make_dataset(root, [1], first=7, resume=True)
    assert check(root) == []
    assert open_dataset(root).column("observation.state").tolist() == [[0, 0], [0, 1], [7, 0]]
    tables = [pq.read_table(path) for path in sorted(root.glob("meta/episodes/*/*.parquet"))]
    assert [index for table in tables for index in table["episode_index"].to_pylist()] == [0, 1]


def test_added_episodes_are_coded_like_those_there_are(tmp_path, specs, make_frame):
    root = tmp_path / "new"
    for resume in (False, True):
        config = Config(vcodec="libsvtav1" if resume else "h264", crf=30 if resume else 20)
        writer = create_dataset(root, specs, fps=10, resume=resume, config=config)
        writer.add_frame(make_frame(0, 0))
        writer.save_episode("Do it")
        writer.close()
    [video] = root.glob("videos/*/*/*.mp4")
    with av.open(str(video)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert len(open_dataset(root).episodes) == 2
    assert check(root) == []


def test_only_one_process_records_into_a_dataset(tmp_path, specs, make_dataset):
    root = make_dataset(tmp_path / "new", [1])
    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=True, config=Config.tiny())
    with pytest.raises(UserError, match="is being written by another program"):
        create_dataset(root, specs, fps=10, robot_type="fake", resume=True)
    writer.close()
    create_dataset(root, specs, fps=10, robot_type="fake", resume=True).close()


def test_small_files_become_large_ones_when_recording_ends(tmp_path, specs, make_frame, make_dataset, monkeypatch):
    scattered = make_dataset(tmp_path / "scattered", [2, 3, 1, 4, 2])
    monkeypatch.setattr(writer_module, "COMPACT_EVERY", 2)
    writer = create_dataset(
        tmp_path / "new", specs, fps=10, robot_type="fake", config=replace(Config.tiny(), compact=True)
    )
    for episode, length in enumerate([2, 3, 1, 4, 2]):
        for tick in range(length):
            writer.add_frame(make_frame(episode, tick))
        writer.save_episode("Do it")
    writer.close()
    assert len(list((tmp_path / "new").glob("data/*/*.parquet"))) == 1
    assert len(list((tmp_path / "new").glob("videos/*/*/*.mp4"))) == 1
    assert check(tmp_path / "new") == []
    one, other = open_dataset(tmp_path / "new"), open_dataset(scattered)
    for key in (*(key for key in specs if key != FRONT), "index", "timestamp", "task_index"):
        np.testing.assert_array_equal(one.column(key), other.column(key))
    rows = one.column("index")
    np.testing.assert_array_equal(one.images(FRONT, rows), other.images(FRONT, rows))
    for key, part in other.stats.items():
        for name, values in part.to_json().items():
            np.testing.assert_allclose(one.stats[key].to_json()[name], values, atol=1e-9)


def test_real_times_are_kept_beside_the_table(tmp_path, specs, make_frame):
    writer = create_dataset(tmp_path / "new", specs, fps=10, config=Config.tiny())
    moments = [(5.0, False, 4.9), (5.1, False, 5.05), (5.4, True, 5.05)]
    for _ in range(2):
        for tick, (time_s, is_late, camera) in enumerate(moments):
            timing = Timing(time_s=time_s, is_late=is_late, camera_time_s={FRONT: camera})
            writer.add_frame(make_frame(0, tick), timing)
        writer.save_episode("Do it")
    writer.add_frame(make_frame(0, 0))
    writer.save_episode("Untimed")
    writer.close()
    dataset = open_dataset(tmp_path / "new")
    timing = dataset.timing()
    np.testing.assert_array_equal(timing["time_s"], [5, 5.1, 5.4, 5, 5.1, 5.4, np.nan])
    assert timing["is_late"].tolist() == [False, False, True, False, False, True, False]
    assert timing[f"{FRONT}/is_repeated"].tolist() == [False, False, True, False, False, True, False]
    assert check(tmp_path / "new") == []


@pytest.mark.parametrize("name", ["meta/episodes/chunk-000/file-000.parquet", "meta/tasks.parquet"])
def test_a_truncated_table_is_named(recorded, tmp_path, name):
    root = shutil.copytree(recorded, tmp_path / "dataset")
    (root / name).write_bytes((root / name).read_bytes()[:-20])
    with pytest.raises(
        DatasetError, match=rf"{name}: cannot be read as Parquet .* truncated or damaged\. Copy it again"
    ):
        assert open_dataset(root).tasks


def test_a_truncated_data_table_is_named_when_read(recorded, tmp_path):
    root = shutil.copytree(recorded, tmp_path / "dataset")
    path = root / "data/chunk-000/file-001.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DatasetError, match=r"data/chunk-000/file-001\.parquet: cannot be read as Parquet"):
        open_dataset(root).column("action")


def test_episodes_missing_from_the_table_are_an_error(recorded, tmp_path):
    root = shutil.copytree(recorded, tmp_path / "dataset")
    path = root / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"total_episodes": 5}))
    with pytest.raises(DatasetError, match="should list 5 episodes from 0 on, lists 3"):
        open_dataset(root)
