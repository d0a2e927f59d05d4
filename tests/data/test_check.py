import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.errors import UserError
from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check, inspect
from etude.data.dataset import Timing
from etude.data.formats.lerobot_v3.config import Config
from etude.data.remedy import ranges
from etude.data.video import VideoReader, VideoWriter

FRONT = "observation.images.front"
DATA = "data/chunk-000/file-{}.parquet"
VIDEO = f"videos/{FRONT}/chunk-000/file-{{}}.mp4"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
DELETE = "Leave it out: etude dataset delete {root} --episodes "
MEASURE = "Measure again: etude dataset stats {root} --recompute"


@pytest.fixture
def root(tmp_path, make_dataset):
    """A dataset to break: episodes of 4, 1 and 3 frames, each in files of its own."""
    return make_dataset(tmp_path / "dataset", [4, 1, 3])


def change_json(path, change):
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))


def change_table(path, key, change):
    table = pq.read_table(path)
    at = table.schema.get_field_index(key)
    values = change(table[key].to_pylist())
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type)), path)


def found(root, **options):
    """What is said, with the dataset's folder as `{root}`."""
    return [str(problem).replace(str(root), "{root}") for problem in inspect(root, **options).problems]


def notes(root, **options):
    report = inspect(root, **options)
    assert report.problems == []
    return [note.replace(str(root), "{root}") for note in report.notes]


@pytest.mark.parametrize("name", ["lerobot_v3", "lerobot_v21"])
@pytest.mark.parametrize("deep", [False, True])
def test_sound_datasets_have_no_problem(golden, recorded, name, deep):
    assert found(golden / name, deep=deep) == []
    assert inspect(recorded, deep=deep).problems == inspect(recorded, deep=deep).notes == []


def test_a_folder_that_is_no_dataset_cannot_be_checked(tmp_path):
    with pytest.raises(UserError, match="is not a dataset"):
        check(tmp_path)


@pytest.mark.parametrize(("name", "there"), [("total_frames", 8), ("total_tasks", 1)])
def test_a_counter_that_counts_wrong(root, name, there):
    change_json(root / "meta/info.json", lambda info: info.update({name: 99}))
    assert found(root) == [
        (
            f"meta/info.json: {name} is 99, but there are {there}. "
            f"Set {name} to {there} there if nothing is missing; else copy the dataset again."
        )
    ]


@pytest.mark.parametrize("span", ["0:9", "all", "2:1"])
def test_a_split_that_names_other_episodes(root, span):
    change_json(root / "meta/info.json", lambda info: info.update(splits={"train": span}))
    assert found(root) == [
        (
            f"meta/info.json: the split 'train' is {span}, but there are 3 episodes. "
            'Write "0:3" there, or the range of episodes that it stands for.'
        )
    ]


@pytest.mark.parametrize(
    ("key", "change", "wrong"),
    [
        ("index", lambda values: [value + 1 for value in values], "'index' is wrong in 4 of 4 rows, first at frame 0"),
        ("frame_index", lambda values: [0, 2, 1, 3], "'frame_index' is wrong in 2 of 4 rows, first at frame 1"),
        ("timestamp", lambda values: [0, 0.1, 0.21, 0.3], "'timestamp' is wrong in 1 of 4 rows, first at frame 2"),
        ("task_index", lambda values: [0, 0, 0, 1], "'task_index' is wrong in 1 of 4 rows, first at frame 3"),
        ("episode_index", lambda values: [1] * 4, "'episode_index' is wrong in 4 of 4 rows, first at frame 0"),
    ],
)
def test_a_column_that_disagrees_with_its_rows(root, key, change, wrong):
    change_table(root / DATA.format("000"), key, change)
    assert found(root) == [f"episode 0: {wrong}. {DELETE}0"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(root, value):
    change_table(root / DATA.format("002"), "action", lambda rows: [rows[0], [0.0, value], rows[2]])
    assert found(root) == [f"episode 2: 'action' holds NaN or infinity in 1 of 3 rows, first at frame 1. {DELETE}2"]


def test_a_fault_of_many_episodes_is_told_once(tmp_path, specs, make_dataset):
    vectors = {key: spec for key, spec in specs.items() if not spec.is_image}
    writer = create_dataset(tmp_path / "many", vectors, fps=10, config=Config.tiny())
    for episode in range(14):
        writer.add_frame({key: np.full(2, episode, np.float32) for key in vectors})
        writer.save_episode("Do it")
    writer.close()
    for path in sorted((tmp_path / "many").glob("data/*/*"))[1:]:
        change_table(path, "timestamp", lambda values: [value + 1 for value in values])
    problems = found(tmp_path / "many")
    assert len(problems) == 11
    assert problems[-1] == f"episodes 11 to 13: 'timestamp' is wrong in 3 rows of 3 more episodes. {DELETE}1-13"


def test_tasks_that_are_not_those_of_the_rows(root):
    change_table(root / EPISODES, "tasks", lambda rows: [rows[0], ["Something else"], rows[2]])
    assert found(root) == [f"episode 1: lists 'Something else', but its rows are of 'Do it'. {DELETE}1"]


def test_a_video_with_fewer_frames_than_rows(root):
    shutil.copy(root / VIDEO.format("001"), root / VIDEO.format("002"))
    assert found(root) == [f"{{root}}/{VIDEO.format('002')}: holds 1 frames, its episodes 3 rows. {DELETE}2"]


def test_a_dropped_frame_shows_in_the_episodes_table(root):
    key = f"videos/{FRONT}/to_timestamp"
    change_table(root / EPISODES, key, lambda ends: [0.3, *ends[1:]])
    assert found(root) == [
        (
            f"episode 0: the video of {FRONT} lasts 3 frames, the table 4 rows. Frames were dropped while recording. "
            f"{DELETE}0"
        ),
        f"{{root}}/{VIDEO.format('000')}: holds 4 frames, its episodes 3 rows. {DELETE}0",
    ]


def test_clips_that_overlap(root):
    places = {"file_index": [0, 0, 2], "from_timestamp": [0.0, 0.2, 0.0], "to_timestamp": [0.4, 0.3, 0.3]}
    for name, values in places.items():
        change_table(root / EPISODES, f"videos/{FRONT}/{name}", lambda _, values=values: values)
    assert f"episode 1: its clip of {FRONT} overlaps with that of episode 0. {DELETE}1" in found(root)


def test_pictures_that_are_not_shown_at_their_time(root):
    path = root / VIDEO.format("002")
    pictures = VideoReader(path).frames(np.arange(3))
    writer = VideoWriter(path, 12, preset=13)
    for picture in pictures:
        writer.add(picture)
    writer.close()
    assert found(root) == [
        (
            f"{{root}}/{VIDEO.format('002')}: shows frame 1 16.7 ms away from its time; LeRobot refuses that. "
            "Encode the videos again: etude dataset reencode {root}"
        )
    ]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        (DATA.format("001"), f"{DELETE}1"),
        (VIDEO.format("002"), f"{DELETE}2"),
        ("meta/tasks.parquet", "Copy it again, or save what is whole: etude dataset recover {root}"),
    ],
)
def test_a_file_that_is_missing_is_named_once(root, name, remedy, deep):
    (root / name).unlink()
    (problem,) = found(root, deep=deep)
    assert problem.startswith(f"{{root}}/{name}: is missing")
    assert problem.endswith(remedy)


@pytest.mark.parametrize("name", [DATA.format("002"), VIDEO.format("000"), "meta/tasks.parquet", EPISODES])
def test_a_file_that_is_cut_short_is_named_once(root, name):
    path = root / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (problem,) = found(root)
    assert problem.startswith(f"{{root}}/{name}: cannot be read as ")


def test_pictures_that_cannot_be_decoded(tmp_path, make_dataset):
    root = make_dataset(tmp_path / "dataset", [6, 2])
    path = root / VIDEO.format("000")
    data = bytearray(path.read_bytes())
    with VideoFile(path) as places:
        place, size = places[2]
    data[place : place + size] = bytes(size)
    path.write_bytes(data)
    assert found(root) == []  # neither the first nor the last
    (problem,) = found(root, deep=True)
    assert problem.startswith(f"{{root}}/{VIDEO.format('000')}: ")
    assert problem.endswith(f"{DELETE}0")


class VideoFile:
    """Where the coded pictures of a file are."""

    def __init__(self, path):
        import av

        self._container = av.open(str(path))

    def __enter__(self):
        return [(entry.pos, entry.size) for entry in self._container.streams.video[0].index_entries]

    def __exit__(self, *_):
        self._container.close()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda stats: stats.pop("action"), "'action' has no statistics"),
        (lambda stats: stats["action"].update(mean=[0.0]), "the mean of 'action' is shaped [1], not [2]"),
        (lambda stats: stats["action"].update(std=[1.0, float("nan")]), "the std of 'action' holds NaN or infinity"),
        (lambda stats: stats["action"].update(q99=[9.0, 9.0]), "the q99 of 'action' is above its max"),
        (lambda stats: stats["action"].update(q01=[-1, -2.9], q10=[-2, -2.0]), "the q01 of 'action' is above its q10"),
        (lambda stats: stats["action"].update(mean=[9.0, 0.0]), "the mean of 'action' is not between its min and max"),
        (lambda stats: stats["action"].update(std=[-1.0, 1.0]), "the std of 'action' is negative"),
        (
            lambda stats: stats["action"].update(mean=[-0.5, -1.125]),
            "the mean of 'action' is -0.5 in element 0, but that of its rows is -0.875",
        ),
        (
            lambda stats: stats["observation.state"].update(max=[2.0, 3.5]),
            "the max of 'observation.state' is 3.5 in element 1, but that of its rows is 3",
        ),
    ],
)  # fmt: skip
def test_statistics_that_are_not_those_of_the_data(root, change, wrong):
    change_json(root / "meta/stats.json", change)
    assert found(root) == [f"meta/stats.json: {wrong}. {MEASURE}"]


def test_statistics_of_pictures_are_per_channel(root):
    change_json(root / "meta/stats.json", lambda stats: stats[FRONT].update(mean=[0.5]))
    assert found(root) == [f"meta/stats.json: the mean of '{FRONT}' is shaped [1], not [3, 1, 1]. {MEASURE}"]


def test_quantiles_that_are_not_stored_are_a_note(root):
    change_json(root / "meta/stats.json", lambda stats: stats["action"].pop("q01"))
    assert notes(root) == [
        f"No quantiles are stored of action; they are measured when a policy asks for them. {MEASURE}"
    ]


def test_a_column_that_nothing_declares(root):
    path = root / DATA.format("001")
    table = pq.read_table(path)
    pq.write_table(table.append_column("extra", pa.array([1.0])), path)
    assert found(root) == [
        (
            f"{DATA.format('001')}: has the column extra, which meta/info.json does not declare. "
            "LeRobot refuses it: add it to 'features' in meta/info.json, or copy the dataset again."
        )
    ]


def test_a_column_that_is_declared_and_not_there(root):
    path = root / DATA.format("001")
    pq.write_table(pq.read_table(path).drop_columns(["action"]), path)
    (problem,) = found(root)
    assert problem.startswith(f"{{root}}/{DATA.format('001')}: lacks the column action")


def test_times_of_other_rows(root):
    path = root / "meta/etude/timing/chunk-000/file-002.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"time_s": [0.0], "is_late": [False]}), path)
    assert found(root)[0] == (
        "meta/etude/timing/chunk-000/file-002.parquet: notes the times of 1 frames, its table has 3 rows. "
        "The times are lost: delete the file."
    )


def test_sketches_of_other_episodes_or_damaged_ones(root):
    path = root / "meta/etude/sketches/chunk-000/file-001.parquet"
    change_table(path, "episode_index", lambda numbers: [7 for _ in numbers])
    assert found(root) == [
        (
            "meta/etude/sketches/chunk-000/file-001.parquet: holds sketches of episode 7, which is not in its table. "
            f"{MEASURE}"
        )
    ]
    path.write_bytes(b"no table")
    (problem,) = found(root)
    assert problem.startswith("{root}/meta/etude/sketches/chunk-000/file-001.parquet: cannot be read as Parquet")
    assert problem.endswith(MEASURE)


def test_what_an_old_format_cannot_have_edited_says_to_convert_it(golden, tmp_path):
    root = shutil.copytree(golden / "lerobot_v21", tmp_path / "old")
    path = sorted(root.glob("data/*/*"))[1]
    change_table(path, "frame_index", lambda values: [value + 1 for value in values])
    (problem,) = found(root)
    assert problem.endswith(
        "Copy the dataset again; or convert it (etude dataset convert {root} NEW) and leave out episode 1 there."
    )


def still(root, *, lengths=(30,), timing=None, fps=10):
    """Record a robot that moves for a third of the time, then stands still, its camera giving one picture."""
    specs = {"observation.state": Spec(shape=(1,)), FRONT: Spec(shape=(48, 64, 3), dtype="uint8")}
    writer = create_dataset(root, specs, fps=fps, config=Config.tiny())
    for length in lengths:
        for tick in range(length):
            position = np.array([min(tick, length // 3)], np.float32)
            picture = np.full((48, 64, 3), 8 * min(tick, length // 3), np.uint8)
            frame = {"observation.state": position, FRONT: picture}
            writer.add_frame(frame, timing(tick) if timing else None)
        writer.save_episode("Do it")
    writer.close()
    return root


def test_standing_still_is_a_note(tmp_path):
    assert notes(still(tmp_path / "still", lengths=(6, 45))) == [
        "Episode 1 stands still for 2.9 s, from frame 16 on.",
        "To cut off what is before and after the motion: etude dataset trim {root} --idle",
    ]


def test_a_frozen_camera_is_a_note_of_a_deep_check(tmp_path):
    (note,) = notes(still(tmp_path / "still"), deep=True)
    assert note.startswith(f"Episode 0: '{FRONT}' gives the same picture for 1.")


def test_late_and_repeated_frames_and_the_real_rate_are_notes(tmp_path):
    def timing(tick):
        return Timing(time_s=tick / 8, is_late=tick in (3, 4), camera_time_s={FRONT: (tick // 2) / 4})

    assert notes(still(tmp_path / "late", lengths=(12, 12), timing=timing)) == [
        "4 of 24 frames came late (the computer was too slow for the control loop), most in episode 0-1.",
        f"'{FRONT}' repeats a picture in 12 of 24 frames: the camera is slower than the loop.",
        "Frames were really taken at 8.0 Hz, but are stamped 10 Hz.",
    ]


def test_a_recording_that_broke_off_is_a_note(root, specs, make_frame):
    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=True, config=Config.tiny())
    for tick in range(3):
        writer.add_frame(make_frame(0, tick))
    writer.close()
    (note,) = notes(root)
    assert note.startswith("A recording begun ")
    assert note.endswith("etude dataset recover {root}")


def test_a_table_that_no_episode_is_in_is_a_note(root):
    shutil.copy(root / DATA.format("000"), root / DATA.format("007"))
    (note,) = notes(root)
    assert note.startswith(f"{DATA.format('007')} belongs to no episode")


def test_progress_is_told(root):
    told = []
    inspect(root, deep=True, tell=lambda *done: told.append(done))
    assert told == [("rows", 8, 8), ("pictures", 8, 8)]


def test_numbers_in_short():
    assert ranges([]) == ""
    assert ranges([3]) == "3"
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"


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
