"""Several datasets that become one, and one that becomes several."""

import json

from etude.data import open_dataset
from etude.data.edit import apply, edits
from etude.data.edit.source import Source
from etude.data.versions import workspace

from .conftest import FRONT, edited, states


def test_merged_datasets_hold_both_and_share_whole_videos(root, tmp_path, make_dataset, files_of, sound):
    other = make_dataset(tmp_path / "other", [2, 2], first=5, task="Other")
    plan = edits.merged([Source(root), Source(other)])
    apply.create({tmp_path / "all": plan}, "merge")
    assert states(tmp_path / "all") == states(root) + states(other)
    dataset = open_dataset(tmp_path / "all")
    assert dataset.tasks == ["Do it", "Other"]
    assert dataset.column("task_index").tolist() == [0] * 13 + [1] * 4
    videos = {inode for name, inode in files_of(tmp_path / "all").items() if name.startswith("videos")}
    ours = {inode for source in (root, other) for name, inode in files_of(source).items() if name.startswith("videos")}
    assert videos == ours
    sound(tmp_path / "all")


def test_merging_forgets_encoder_settings_that_differ(root, tmp_path, make_dataset, sound):
    other = make_dataset(tmp_path / "other", [2], first=5)
    edited(other, lambda source: edits.recoded(source, vcodec="h264", crf=20, g=3))
    apply.create({tmp_path / "all": edits.merged([Source(root), Source(other)])}, "merge")
    info = json.loads((tmp_path / "all/meta/info.json").read_text())["features"][FRONT]["info"]
    assert (info["video.crf"], info["video.codec"], info["video.width"]) == (None, None, 64)
    sound(tmp_path / "all")


def test_parts_of_a_dataset_are_datasets(root, tmp_path, sound, files_of):
    before = files_of(root)
    plans = edits.parts(Source(root), {"train": [0, 3], "val": [1]})
    apply.create({tmp_path / name: plan for name, plan in plans.items()}, "split")
    assert [states(tmp_path / name)[-1] for name in plans] == [[3, 4], [1, 0]]
    assert files_of(root) == before
    for name in plans:
        sound(tmp_path / name)
        assert not workspace(tmp_path / name).exists()


def test_fractions_follow_the_order_of_episodes(root):
    assert edits.by_fractions(Source(root), {"a": 0.5, "b": 0.25}) == {"a": range(2), "b": range(2, 3)}
