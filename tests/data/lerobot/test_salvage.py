"""What LeRobot left when it was killed while recording; the golden dataset is what LeRobot 0.4.4 itself left."""

import importlib.util
import json
import shutil

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.errors import DatasetError, UserError
from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.lerobot import footer, header, schema
from etude.data.lerobot.salvage import is_damaged, salvage
from etude.data.versions import undo, workspace
from etude.data.video.splice import Piece, splice

DATA, EPISODES = "data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet"
FRONT = "observation.images.front"
VIDEO = f"videos/{FRONT}/chunk-000/file-000.mp4"
LENGTHS = [3 + number % 3 for number in range(12)]
ENDS = np.cumsum(LENGTHS)
CODEC_ERROR = 6


@pytest.fixture
def holds(golden):
    """What the golden dataset holds, as formulas."""
    spec = importlib.util.spec_from_file_location("unfinished_facts", golden / "lerobot_unfinished_facts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(golden, tmp_path):
    return shutil.copytree(golden / "lerobot_unfinished", tmp_path / "dataset")


@pytest.fixture
def assert_holds(holds):
    def compare(root, episodes):
        """The dataset holds these of the recorded episodes, and every promise of the format."""
        dataset = open_dataset(root)
        ticks = [(episode, tick) for episode in episodes for tick in range(LENGTHS[episode])]
        np.testing.assert_array_equal(dataset.column("observation.state"), [holds.state(*each) for each in ticks])
        np.testing.assert_array_equal(dataset.column("action"), [holds.action(*each) for each in ticks])
        shown = dataset.images(FRONT, np.arange(len(ticks))).astype(int)
        assert np.abs(shown - [holds.picture(*each) for each in ticks]).max() <= CODEC_ERROR
        assert [each.tasks for each in dataset.episodes] == [(holds.task(episode),) for episode in episodes]
        assert check(root) == []
        assert not is_damaged(root)

    return compare


def finished(root):
    """Put a footer on the episodes table, so that a test can change it; give its rows."""
    table = footer.rescue(root / EPISODES, schema.episodes_schemas(header.read(root).features)).table
    pq.write_table(table, root / EPISODES)
    return table


def drop_frame(root, number):
    """Take one picture out of the video."""
    first = Piece(path=root / VIDEO, start=0, length=number)
    second = Piece(path=root / VIDEO, start=number + 1, length=47 - number)
    splice([first, second], root / "dropped.mp4", 10)
    (root / "dropped.mp4").replace(root / VIDEO)


def test_all_that_lerobot_saved_is_recovered(root, assert_holds):
    assert is_damaged(root)
    report = salvage(root)
    assert (report.num_episodes, report.num_frames) == (12, 48)
    assert_holds(root, range(12))
    assert any("had no footer, and 48 rows of it were read" in each for each in report.damage)
    assert any("lacked 2 of 12 episodes" in each for each in report.damage)
    assert len(report.lost) == 1
    assert "Episode 12 was being recorded when the program ended" in report.lost[0]
    assert "2 pictures of observation.images.front" in report.lost[0]
    assert "Recovered 12 episodes with 48 frames." in str(report)


@pytest.mark.parametrize("lacking", [None, "meta/episodes"])
def test_who_opens_an_unfinished_dataset_is_told_how_to_save_it(root, lacking):
    if lacking:
        shutil.rmtree(root / lacking)
    with pytest.raises(DatasetError, match="save what is whole of an unfinished recording: etude dataset recover"):
        open_dataset(root)


def test_statistics_are_those_that_lerobot_measured(golden, root):
    salvage(root)
    stored = json.loads((root / "meta/stats.json").read_text())
    wanted = json.loads((golden / "lerobot_unfinished/meta/stats.json").read_text())
    assert stored.keys() == wanted.keys()
    for key, stats in wanted.items():
        # LeRobot's per-episode pictures come before compression, the last two episodes' here from the video.
        for name in ("min", "max", "mean", "std", "count"):
            np.testing.assert_allclose(stored[key][name], stats[name], atol=0.02 if key == FRONT else 1e-6)


def test_undo_brings_the_damaged_dataset_back(golden, root):
    salvage(root)
    assert undo(root) == "recover what LeRobot left unfinished"
    there = {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    source = golden / "lerobot_unfinished"
    assert there == {path.relative_to(source): path.read_bytes() for path in source.rglob("*") if path.is_file()}


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.999])
def test_a_frame_table_cut_anywhere_gives_its_whole_episodes(root, assert_holds, share):
    data = (root / DATA).read_bytes()
    (root / DATA).write_bytes(data[: int(share * len(data))])
    if share == 0.05:
        with pytest.raises(DatasetError, match="holds no whole episode; nothing was changed"):
            salvage(root)
        assert is_damaged(root)
        assert not workspace(root).exists()
        return
    report = salvage(root)
    assert 0 < report.num_episodes < 12
    assert_holds(root, range(report.num_episodes))
    lost = ", ".join(map(str, range(report.num_episodes, 12)))
    assert f"Episodes without rows in the tables, and therefore lost: {lost}." in report.lost


def test_an_episodes_table_that_was_never_written_is_made_again(root, assert_holds):
    shutil.rmtree(root / "meta/episodes")
    assert is_damaged(root)
    salvage(root)
    assert_holds(root, range(12))


def test_a_table_of_tasks_without_a_footer_is_read(root, assert_holds):
    path = root / "meta/tasks.parquet"
    data = path.read_bytes()
    footer_bytes = 8 + int.from_bytes(data[-8:-4], "little")
    path.write_bytes(data[:-footer_bytes])
    salvage(root)
    assert_holds(root, range(12))


def test_tasks_that_are_gone_are_called_unknown(root):
    (root / "meta/tasks.parquet").write_bytes(b"")
    salvage(root)
    assert list(open_dataset(root).tasks) == ["unknown task 0", "unknown task 1"]
    assert check(root) == []


def test_pictures_that_were_not_encoded_yet_are_encoded(root, holds, assert_holds):
    """LeRobot encodes at the end of an episode, or of several; until then there are PNG files."""
    end = int(ENDS[9])
    splice([Piece(path=root / VIDEO, start=0, length=end)], root / "short.mp4", 10)
    (root / "short.mp4").replace(root / VIDEO)
    for episode in (10, 11):
        folder = root / f"images/{FRONT}/episode-{episode:06d}"
        folder.mkdir()
        for tick in range(LENGTHS[episode]):
            cv2.imwrite(str(folder / f"frame-{tick:06d}.png"), holds.picture(episode, tick))
    assert salvage(root).num_episodes == 12
    assert_holds(root, range(12))


def test_an_episode_without_all_its_pictures_is_left_out(root, assert_holds):
    splice([Piece(path=root / VIDEO, start=0, length=int(ENDS[10]))], root / "short.mp4", 10)
    (root / "short.mp4").replace(root / VIDEO)
    report = salvage(root)
    assert_holds(root, range(11))
    assert f"Episode 11 (5 frames) was left out: its pictures of {FRONT} are in no video." in report.lost


def test_a_video_cut_short_gives_the_episodes_at_its_front(root, assert_holds):
    data = (root / VIDEO).read_bytes()
    (root / VIDEO).write_bytes(data[: int(0.9 * len(data))])
    report = salvage(root)
    assert 5 < report.num_episodes < 12
    assert_holds(root, range(report.num_episodes))


def test_where_a_frame_was_dropped_no_picture_is_given_to_the_wrong_row(root, assert_holds):
    """LeRobot's streaming encoder drops a frame when it cannot follow; from there on pictures come a row early."""
    drop_frame(root, int(ENDS[10]) + 2)
    report = salvage(root)
    assert_holds(root, range(10))  # the table tells of ten; which of the others lost a frame cannot be known
    assert sum("fewer pictures than rows" in each for each in report.lost) == 2


def test_an_episode_of_which_the_table_tells_that_a_frame_was_dropped_is_left_out_alone(root, assert_holds):
    table = finished(root)
    drop = int(ENDS[3]) + 1
    pieces = [
        Piece(path=root / VIDEO, start=0, length=drop),
        Piece(path=root / VIDEO, start=drop + 1, length=47 - drop),
    ]
    splice(pieces, root / "dropped.mp4", 10)
    (root / "dropped.mp4").replace(root / VIDEO)
    for name, first in (("from_timestamp", 5), ("to_timestamp", 4)):
        times = np.array(table[f"videos/{FRONT}/{name}"])
        times[first:] -= 0.1
        position = table.schema.get_field_index(f"videos/{FRONT}/{name}")
        table = table.set_column(position, f"videos/{FRONT}/{name}", pa.array(times))
    pq.write_table(table, root / EPISODES)
    report = salvage(root)
    assert_holds(root, [*range(4), *range(5, 12)])
    assert any(
        "Episode 4 (4 frames) was left out" in each and "3 pictures for its 4 rows" in each for each in report.lost
    )


def test_rows_that_disagree_with_the_table_of_episodes_are_believed(root, assert_holds):
    table = finished(root)
    position = table.schema.get_field_index("length")
    pq.write_table(table.set_column(position, "length", pa.array([99] * 10)), root / EPISODES)
    salvage(root)
    assert_holds(root, range(12))


def test_only_damaged_datasets_are_touched(golden, recorded, tmp_path):
    for whole in (golden / "lerobot_v3", golden / "lerobot_v21", recorded, tmp_path):
        assert not is_damaged(whole)
    copy = shutil.copytree(recorded, tmp_path / "copy")
    with pytest.raises(UserError, match="there is nothing to recover"):
        salvage(copy)


def test_files_of_which_nothing_is_lost_are_linked(root, assert_holds):
    """A table that was closed, since it was full, and the videos stay the files that they are."""
    features = header.read(root).features
    table = footer.rescue(root / DATA, [schema.data_schema(features)]).table
    data = (root / DATA).read_bytes()
    second = root / "data/chunk-000/file-001.parquet"
    with pq.ParquetWriter(second, table.schema, compression="snappy") as writer:
        for start, stop in zip([ENDS[5], *ENDS[6:11]], ENDS[6:12], strict=True):
            writer.write_table(table[int(start) : int(stop)])
        data = second.read_bytes()
    second.write_bytes(data)
    pq.write_table(table[: int(ENDS[5])], root / DATA)
    inodes = {name: (root / name).stat().st_ino for name in (DATA, VIDEO)}
    salvage(root)
    assert {name: (root / name).stat().st_ino for name in (DATA, VIDEO)} == inodes
    assert_holds(root, range(12))


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
