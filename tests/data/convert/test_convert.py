import json
import os
import shutil
import signal
import subprocess
import sys

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.errors import DatasetError, NotFound, UserError
from etude.data import open_dataset
from etude.data.check import check
from etude.data.convert import convert, opened
from etude.data.draft import drafts
from etude.data.formats.lerobot_v3.config import Config
from etude.data.versions import workspace

FRONT = "observation.images.front"
FAST = Config(vcodec="h264", preset="ultrafast", queue_size=2)


def quietly(*_):
    pass


def converted(source, root, **options):
    dataset = open_dataset(source) if not hasattr(source, "episodes") else source
    return convert(dataset, root, quietly, options=FAST, **options)


def assert_same_numbers(one, other):
    assert one.specs.keys() == other.specs.keys()
    for key in (*one.specs, "timestamp", "index", "episode_index", "frame_index", "task_index"):
        if key not in one.codecs:
            np.testing.assert_array_equal(one.column(key), other.column(key), err_msg=key)
    assert list(one.tasks) == list(other.tasks)
    assert [episode.tasks for episode in one.episodes] == [episode.tasks for episode in other.episodes]


@pytest.mark.parametrize("kind", ["aloha", "robomimic", "zarr"])
def test_a_foreign_dataset_becomes_a_sound_one_of_lerobots(made, tmp_path, kind):
    source = open_dataset(made(kind))
    result = converted(source, tmp_path / "new")
    assert (result.is_copied, result.num_before) == (False, 0)
    new = open_dataset(tmp_path / "new")
    assert check(new.root) == []
    assert (new.format, new.fps, new.robot_type) == ("lerobot_v3", source.fps, source.robot_type)
    assert_same_numbers(source, new)
    rows = np.arange(source.episodes.num_frames)
    for key in source.codecs:
        assert np.abs(source.images(key, rows).astype(int) - new.images(key, rows)).mean() < 4
        np.testing.assert_allclose(source.stats[key].mean, new.stats[key].mean, atol=0.02)


def test_rlds_becomes_a_sound_dataset_of_lerobots(golden, tmp_path):
    source = opened(golden / "rlds", None, {"split": "val", "fps": 5})
    converted(source, tmp_path / "new")
    assert check(tmp_path / "new") == []
    assert open_dataset(tmp_path / "new").fps == 5
    assert_same_numbers(source, open_dataset(tmp_path / "new"))


def test_videos_of_v21_are_copied_and_statistics_completed(golden, tmp_path):
    source, result = open_dataset(golden / "lerobot_v21"), converted(golden / "lerobot_v21", tmp_path / "new")
    new = open_dataset(tmp_path / "new")
    assert result.is_copied
    assert check(new.root) == []
    assert_same_numbers(source, new)
    rows = np.arange(source.episodes.num_frames)
    for key in source.codecs:
        np.testing.assert_array_equal(source.images(key, rows), new.images(key, rows))
    for key, stats in new.stats.items():
        assert list(stats.quantiles) == ["q01", "q10", "q50", "q90", "q99"], key
    for key in source.stats:
        np.testing.assert_allclose(new.stats[key].mean, source.stats[key].mean, atol=1e-6)
    info = json.loads((new.root / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert list(info["features"])[-1] == "task_index"
    assert "total_videos" not in info


def test_the_episodes_of_a_file_are_row_groups_of_it_and_its_video_is_one(golden, tmp_path):
    converted(golden / "lerobot_v21", tmp_path / "new")
    table = pq.ParquetFile(tmp_path / "new/data/chunk-000/file-000.parquet")
    assert [table.metadata.row_group(number).num_rows for number in range(table.num_row_groups)] == [4, 5, 3]
    assert json.loads(table.schema_arrow.metadata[b"huggingface"])["info"]["features"]["action"]["length"] == 3
    assert len(list((tmp_path / "new/videos").rglob("*.mp4"))) == len(open_dataset(tmp_path / "new").codecs)


def test_gaps_in_the_numbers_are_closed(golden, tmp_path):
    root = shutil.copytree(golden / "lerobot_v21", tmp_path / "old")
    for name in ("episodes.jsonl", "episodes_stats.jsonl"):
        lines = (root / "meta" / name).read_text().splitlines()
        (root / "meta" / name).write_text("\n".join([lines[0], lines[2]]) + "\n")
    converted(root, tmp_path / "new")
    new = open_dataset(tmp_path / "new")
    assert new.episodes.length.tolist() == [4, 3]
    assert new.column("index").tolist() == list(range(7))
    assert new.column("episode_index").tolist() == [0] * 4 + [1] * 3
    assert check(new.root) == []


def test_v20_has_statistics_of_the_whole_alone(golden, tmp_path):
    root = shutil.copytree(golden / "lerobot_v21", tmp_path / "old")
    whole = open_dataset(root).stats
    (root / "meta/stats.json").write_text(json.dumps({key: part.to_json() for key, part in whole.items()}))
    (root / "meta/episodes_stats.jsonl").unlink()
    path = root / "meta/info.json"
    path.write_text(path.read_text().replace("v2.1", "v2.0"))
    converted(root, tmp_path / "new")
    assert check(tmp_path / "new") == []
    np.testing.assert_allclose(open_dataset(tmp_path / "new").stats[FRONT].mean, whole[FRONT].mean)


def test_statistics_may_stay_as_they_are(golden, tmp_path):
    converted(golden / "lerobot_v21", tmp_path / "new", is_measured=False)
    stats = open_dataset(tmp_path / "new").stats
    assert stats[FRONT].quantiles == {}
    assert len(stats["action"].quantiles) == 5
    assert check(tmp_path / "new") == []


def test_pictures_inside_tables_are_encoded(golden, facts, tmp_path):
    root = shutil.copytree(golden / "lerobot_v21", tmp_path / "old")
    for episode, path in enumerate(sorted(root.glob("data/*/*.parquet"))):
        pictures = [facts.picture(FRONT, episode, tick) for tick in range(facts.EPISODES[episode][0])]
        packed = [{"bytes": cv2.imencode(".png", each[..., ::-1])[1].tobytes(), "path": None} for each in pictures]
        pq.write_table(pq.read_table(path).append_column(FRONT, pa.array(packed)), path)
    info = json.loads((root / "meta/info.json").read_text())
    info["features"][FRONT]["dtype"] = "image"
    (root / "meta/info.json").write_text(json.dumps(info))
    assert not converted(root, tmp_path / "new").is_copied
    new = open_dataset(tmp_path / "new")
    assert new.codecs[FRONT] == "h264"
    assert check(new.root) == []


def test_there_and_back_is_lossless(golden, tmp_path):
    source = open_dataset(golden / "lerobot_v21")
    converted(source, tmp_path / "new")
    result = converted(tmp_path / "new", tmp_path / "back", to="lerobot_v21")
    back = open_dataset(tmp_path / "back")
    assert (back.format, result.is_copied) == ("lerobot_v21", True)
    assert check(back.root) == []
    assert_same_numbers(source, back)
    rows = np.arange(source.episodes.num_frames)
    for key in source.codecs:
        np.testing.assert_array_equal(source.images(key, rows), back.images(key, rows))
    for key in source.stats:
        np.testing.assert_allclose(source.stats[key].std, back.stats[key].std, atol=1e-6)
        assert source.stats[key].count == back.stats[key].count


class Interrupted(Exception):
    pass


def interrupt_at(number):
    def tell(done, _):
        if done == number:
            raise Interrupted

    return tell


def test_an_interrupted_conversion_goes_on_at_the_next_episode(made, tmp_path):
    source = open_dataset(made("aloha"))
    with pytest.raises(Interrupted):
        convert(source, tmp_path / "new", interrupt_at(2), options=FAST)
    assert len(open_dataset(tmp_path / "new").episodes) == 2
    assert converted(source, tmp_path / "new").num_before == 2
    assert converted(source, tmp_path / "new").num_before == 3
    assert check(tmp_path / "new") == []
    assert_same_numbers(source, open_dataset(tmp_path / "new"))


KILLED = """
import os, signal, sys
from pathlib import Path
from etude.data import open_dataset
from etude.data.convert import convert
from etude.data.formats.lerobot_v3 import writer
from etude.data.formats.lerobot_v3.config import Config

add, seen = writer.Writer.add_frame, []
def counted(self, *arguments):
    add(self, *arguments)
    seen.append(1)
    if len(seen) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
writer.Writer.add_frame = counted
convert(open_dataset(sys.argv[1]), Path(sys.argv[2]), lambda *_: None, options=Config.tiny())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_killed_conversion_goes_on_and_leaves_no_draft(made, tmp_path):
    """Killed in the second episode: the first is there, and the second is made anew."""
    source, root = made("aloha"), tmp_path / "new"
    done = subprocess.run([sys.executable, "-c", KILLED, str(source), str(root)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(open_dataset(root).episodes) == 1
    assert converted(source, root).num_before == 1
    assert drafts(root) == []
    assert check(root) == []
    assert_same_numbers(open_dataset(source), open_dataset(root))


def test_a_copy_is_there_whole_or_not_at_all_and_measures_once(golden, tmp_path):
    source, root = open_dataset(golden / "lerobot_v21"), tmp_path / "new"
    with pytest.raises(Interrupted):
        convert(source, root, interrupt_at(1), options=FAST)
    assert not root.exists()
    assert (workspace(root) / "measured-pictures.bin").stat().st_size > 0
    assert converted(source, root).num_before == 0
    assert check(root) == []
    assert not workspace(root).exists()


def test_another_source_is_refused(made, tmp_path):
    converted(made("aloha"), tmp_path / "new")
    with pytest.raises(UserError, match=r"is converted from .*aloha_tiny, which is another dataset\. Choose another"):
        converted(made("zarr"), tmp_path / "new")


def test_another_folder_is_refused(made, recorded, tmp_path):
    source = made("aloha")
    before = sorted(recorded.rglob("*"))
    with pytest.raises(UserError, match="holds a dataset that was not converted from"):
        converted(source, recorded)
    assert sorted(recorded.rglob("*")) == before
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="is not a dataset"):
        converted(source, tmp_path)


def test_what_needs_no_conversion_or_cannot_be_converted_says_so(recorded, made, tmp_path):
    with pytest.raises(UserError, match=r"is a LeRobot v3\.0 dataset already; there is nothing to convert"):
        converted(recorded, tmp_path / "new")
    with pytest.raises(UserError, match=r"only LeRobot v3\.0 is converted to v2\.1"):
        converted(made("zarr"), tmp_path / "new", to="lerobot_v21")
    with pytest.raises(NotFound, match="lerobot_v21"):
        converted(made("zarr"), tmp_path / "new", to="lerobot_v12")


def test_a_result_that_is_not_the_source_is_noticed(golden, tmp_path):
    """A video swapped for another of the same length, behind the back of a finished conversion."""
    source, root = open_dataset(golden / "lerobot_v21"), tmp_path / "new"
    converted(source, root)
    keys = list(source.codecs)
    one, other = (next((root / "videos" / key).rglob("*.mp4")) for key in keys[:2])
    content = one.read_bytes()
    one.unlink()
    one.write_bytes(other.read_bytes())
    with pytest.raises(DatasetError, match=r"the pictures of .* in episode 0 are not the source's"):
        converted(source, root)
    one.write_bytes(content)


def test_options_are_those_of_the_format(golden, made, recorded):
    assert opened(made("aloha"), "aloha", {"swap_red_blue": "true", "task": "Cook"}).tasks == ["Cook"]
    with pytest.raises(NotFound, match="Did you mean 'split'"):
        opened(golden / "rlds", None, {"splitt": "val"})
    with pytest.raises(UserError, match="lerobot_v3 tell everything themselves; 'fps' cannot be set"):
        opened(recorded, None, {"fps": 3})
    with pytest.raises(UserError, match="is no dataset of format zarr"):
        opened(golden / "rlds", "zarr", {})
    with pytest.raises(UserError, match="swap_red_blue should be true or false, got 'maybe'"):
        opened(made("aloha"), None, {"swap_red_blue": "maybe"})


def test_the_real_dataset_converts_to_identical_pictures(g1_bottle, tmp_path):
    source = open_dataset(g1_bottle)
    assert converted(source, tmp_path / "new").is_copied
    new = open_dataset(tmp_path / "new")
    assert check(new.root) == []
    assert_same_numbers(source, new)
    rows = np.arange(0, source.episodes.num_frames, 300)
    for key in source.codecs:
        np.testing.assert_array_equal(source.images(key, rows), new.images(key, rows))
