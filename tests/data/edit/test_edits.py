import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etude.core.errors import DatasetError, NotFound, UserError
from etude.core.stats import Stats
from etude.data import open_dataset
from etude.data.edit import apply, edits
from etude.data.edit.idle import moving_spans
from etude.data.edit.source import Source
from etude.data.versions import workspace

FRONT = "observation.images.front"


def states(root):
    return open_dataset(root).column("observation.state").astype(int).tolist()


def greys(root, key=FRONT):
    dataset = open_dataset(root)
    return dataset.images(key, np.arange(dataset.episodes.num_frames))[:, 24, 32, 0].astype(int)


def wanted_greys(found):
    return [20 + 50 * (episode % 4) + 8 * tick for episode, tick in found]


def edited(root, plan_of):
    return apply.edit(root, "edited", plan_of)


def test_deleting_leaves_the_other_episodes_as_they_were(root, sound):
    edited(root, lambda source: edits.delete(source, [1, 2]))
    kept = [(0, 0), (0, 1), (0, 2), (0, 3), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)]
    assert states(root) == [list(each) for each in kept]
    np.testing.assert_allclose(greys(root), wanted_greys(kept), atol=3)
    sound(root)


def test_what_is_not_touched_stays_the_same_file(root, files_of, sound):
    before = files_of(root)
    edited(root, lambda source: edits.delete(source, [1]))
    after = files_of(root)
    videos = [f"videos/{FRONT}/chunk-000/file-00{number}.mp4" for number in (0, 2, 3)]
    assert [after[name] for name in videos] == [before[name] for name in videos]
    assert after["data/chunk-000/file-000.parquet"] == before["data/chunk-000/file-000.parquet"]
    assert sorted(name for name in after if name.startswith("data")) == [
        "data/chunk-000/file-000.parquet",
        "data/chunk-000/file-004.parquet",
    ]
    sound(root)


def test_deleting_out_of_one_video_copies_the_rest_bit_by_bit(compacted, contents_of, sound):
    before = contents_of(compacted)[FRONT]
    edited(compacted, lambda source: edits.delete(source, [1]))
    assert np.array_equal(contents_of(compacted)[FRONT], np.delete(before, 4, 0))
    sound(compacted)


def test_trimming_encodes_only_the_group_that_is_cut(compacted, contents_of, sound):
    before = contents_of(compacted)[FRONT]
    edited(compacted, lambda source: edits.trimmed(source, {3: (1, 4)}))
    assert states(compacted)[-3:] == [[3, 1], [3, 2], [3, 3]]
    after = contents_of(compacted)[FRONT]
    assert np.array_equal(after[:8], before[:8])
    assert np.array_equal(after[9:], before[10:12])  # frame 2 of the episode is a key frame
    np.testing.assert_allclose(after[8].mean(), before[9].mean(), atol=2)
    sound(compacted)


def test_statistics_are_those_of_what_is_left(compacted):
    edited(compacted, lambda source: edits.trimmed(source, {0: (0, 2), 3: (2, 5)}))
    dataset = open_dataset(compacted)
    for key in ("action", "observation.state", "index", "episode_index", "frame_index", "task_index"):
        values = dataset.column(key)
        wanted, found = Stats.of(values.reshape(len(values), -1)), dataset.stats[key]
        np.testing.assert_allclose(found.mean, wanted.mean, err_msg=key)
        np.testing.assert_allclose(found.std, wanted.std, atol=1e-12, err_msg=key)
        np.testing.assert_allclose([found.min, found.max], [wanted.min, wanted.max], err_msg=key)
    values = dataset.column("observation.state")
    np.testing.assert_allclose(dataset.stats["observation.state"].quantiles["q50"], np.median(values, 0))
    pictures = greys(compacted) / 255
    np.testing.assert_allclose(dataset.stats[FRONT].mean.mean(), pictures.mean(), atol=0.02)
    assert dataset.stats[FRONT].count == len(pictures)


def test_each_episode_keeps_the_statistics_that_it_had(compacted):
    def rows():
        [path] = (compacted / "meta/episodes").rglob("*.parquet")
        return pq.read_table(path)

    before = rows()
    edited(compacted, lambda source: edits.delete(source, [0]))
    after = rows()
    for name in (name for name in before.column_names if name.startswith("stats/")):
        key = name.split("/")[1]
        moved = {"index": 4, "episode_index": 1}.get(key, 0) if name.split("/")[2] not in ("std", "count") else 0
        was = [np.subtract(value, moved).tolist() for value in before[name].to_pylist()[1:]]
        assert after[name].to_pylist() == was, name
        assert after.schema.field(name) == before.schema.field(name)


def test_filters_work_together(root, make_dataset, sound):
    make_dataset(root, [2, 6], first=4, resume=True, task="Other")
    edited(root, lambda source: edits.filtered(source, task="Do it", min_length=3, max_length=4, among=range(6)))
    assert open_dataset(root).episodes.length.tolist() == [4, 3]
    assert open_dataset(root).tasks == ["Do it"]
    sound(root)


def test_tasks_get_other_texts_and_unused_ones_go(root, make_dataset, sound):
    make_dataset(root, [2], first=4, resume=True, task="Other")
    edited(root, lambda source: edits.retasked(source, {"Do it": "Do that"}))
    assert open_dataset(root).tasks == ["Do that", "Other"]
    edited(root, lambda source: edits.with_task(source, [0, 1, 2, 3], "Other"))
    dataset = open_dataset(root)
    assert (dataset.tasks, dataset.column("task_index").max()) == (["Other"], 0)
    assert dataset.stats["task_index"].max.tolist() == [0]
    sound(root)


def test_a_task_that_two_others_become_is_one(root, make_dataset, sound):
    make_dataset(root, [2], first=4, resume=True, task="Other")
    edited(root, lambda source: edits.retasked(source, {"Other": "Do it"}))
    assert open_dataset(root).tasks == ["Do it"]
    sound(root)


def test_renaming_a_camera_and_a_column(root, contents_of, sound):
    before = contents_of(root)
    edited(root, lambda source: edits.renamed(source, {FRONT: "observation.images.top", "action": "act"}))
    after = contents_of(root)
    assert np.array_equal(after["act"], before["action"])
    assert np.array_equal(after["observation.images.top"], before[FRONT])
    assert sorted(path.name for path in (root / "videos").iterdir()) == ["observation.images.top"]
    table = pq.read_schema(next(root.glob("data/*/*.parquet")))
    assert list(json.loads(table.metadata[b"huggingface"])["info"]["features"])[:2] == ["observation.state", "act"]
    assert list(json.loads((root / "meta/stats.json").read_text())) == list(open_dataset(root).stats)
    assert "observation.images.top" in open_dataset(root).stats
    sound(root)


def test_two_keys_may_change_names(root, contents_of, sound):
    before = contents_of(root)
    edited(root, lambda source: edits.renamed(source, {"action": "observation.state", "observation.state": "action"}))
    assert np.array_equal(contents_of(root)["action"], before["observation.state"])
    sound(root)


def test_removing_a_camera_removes_its_videos(root, sound):
    edited(root, lambda source: edits.without(source, [FRONT]))
    assert not (root / "videos").exists()
    assert json.loads((root / "meta/info.json").read_text())["video_path"] is None
    assert FRONT not in open_dataset(root).stats
    sound(root)


def test_encoding_again_changes_codec_and_little_else(compacted, sound):
    before, kept = greys(compacted), states(compacted)
    edited(compacted, lambda source: edits.recoded(source, vcodec="h264", crf=20, g=3))
    dataset = open_dataset(compacted)
    assert dataset.codecs == {FRONT: "h264"}
    info = json.loads((compacted / "meta/info.json").read_text())["features"][FRONT]["info"]
    assert (info["video.g"], info["video.crf"], info["video.preset"]) == (3, 20, None)
    np.testing.assert_allclose(greys(compacted), before, atol=3)
    assert states(compacted) == kept
    sound(compacted)


def test_undo_takes_back_and_brings_back(root, contents_of):
    before = contents_of(root)
    edited(root, lambda source: edits.delete(source, [0]))
    after = contents_of(root)
    assert apply.undo(root) == "edited"
    contents_of.same(before, contents_of(root))
    apply.undo(root)
    contents_of.same(after, contents_of(root))


def test_no_number_of_a_file_that_was_undone_is_used_again(root, files_of):
    edited(root, lambda source: edits.delete(source, [0]))
    used = {name for name in files_of(root) if name.startswith("data")}
    apply.undo(root)
    edited(root, lambda source: edits.delete(source, [2]))
    assert {name for name in files_of(root) if name.startswith("data")} & used == set()


def test_every_column_is_carried_whatever_it_holds(root, add_columns, sound):
    add_columns(root)
    edited(root, lambda source: edits.trimmed(source, {3: (2, 5)}))
    edited(root, lambda source: edits.delete(source, [1]))
    tables = [pq.read_table(path) for path in sorted(root.glob("data/*/*.parquet"))]
    rows = [0, 1, 2, 3, 5, 6, 7, 10, 11, 12]
    assert [note for table in tables for note in table["note"].to_pylist()] == [f"row {row}" for row in rows]
    said = [[each["content"] for each in said] for table in tables for said in table["language_events"].to_pylist()]
    assert said == [[f"say {row}"] if row % 2 else [] for row in rows]
    pictures = open_dataset(root).images("observation.images.still", np.arange(len(rows)))
    assert pictures[:, 0, 0, 0].tolist() == rows
    # Nobody had measured the PNG files; whoever edits rows does.
    np.testing.assert_allclose(open_dataset(root).stats["observation.images.still"].mean.mean() * 255, np.mean(rows))
    sound(root)


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


def test_the_divisions_of_a_dataset_move_with_its_episodes(root):
    info = json.loads((root / "meta/info.json").read_text())
    info |= {"splits": {"train": "0:2", "val": "2:4"}, "made_by": "hand"}
    (root / "meta/info.json").write_text(json.dumps(info))
    edited(root, lambda source: edits.delete(source, [0]))
    info = json.loads((root / "meta/info.json").read_text())
    assert (info["splits"], info["made_by"]) == ({"train": "0:1", "val": "1:3"}, "hand")


def test_what_lies_beside_the_data_is_kept(root):
    (root / "README.md").write_text("A card.")
    edited(root, lambda source: edits.delete(source, [0]))
    assert (root / "README.md").read_text() == "A card."


def test_idle_frames_are_those_before_and_after_the_motion(tmp_path, make_dataset, specs):
    root = make_dataset(tmp_path / "dataset", [20])
    path = next(root.glob("data/*/*.parquet"))
    table = pq.read_table(path)
    still = np.clip(np.arange(20), 6, 12)  # moves from frame 6 to 12
    at = table.column_names.index("action")
    action = pa.array(np.stack([still, np.zeros(20)], 1).tolist(), table.schema.field(at).type)
    pq.write_table(table.set_column(at, table.schema.field(at), action), path)
    assert moving_spans(Source(root), 0.05, 0.2) == {0: (4, 15)}  # 0.2 s are two frames


@pytest.mark.parametrize(
    ("plan_of", "message"),
    [
        (lambda source: edits.delete(source, [4, 9]), "no episode 4, 9 in .* Known: 0 to 3"),
        (lambda source: edits.delete(source, range(4)), "No episode .* would be left"),
        (lambda source: edits.filtered(source, min_length=9), "No episode .* would be left"),
        (lambda source: edits.filtered(source, min_length=1), "Nothing would change"),
        (lambda source: edits.filtered(source, task="Do i"), "No task named 'Do i'. Did you mean 'Do it'"),
        (lambda source: edits.trimmed(source, {0: (2, 2)}), "Episode 0 has frames 0 to 3; from 2 to before 2"),
        (lambda source: edits.trimmed(source, {0: (2, 5)}), "Episode 0 has frames 0 to 3"),
        (lambda source: edits.trimmed(source, {0: (0, 4)}), "nothing to trim"),
        (lambda source: edits.retasked(source, {"x": "y"}), "No task named 'x'"),
        (lambda source: edits.retasked(source, {"Do it": "Do it"}), "Nothing would change"),
        (lambda source: edits.renamed(source, {"act": "x"}), "No key named 'act'. Did you mean 'action'"),
        (lambda source: edits.renamed(source, {"action": "observation.state"}), "Two keys would have the same name"),
        (lambda source: edits.renamed(source, {"action": "a/b"}), "has a '/'"),
        (lambda source: edits.renamed(source, {"index": "number"}), "No key named 'index'"),
        (lambda source: edits.without(source, ["timestamp"]), "No key named 'timestamp'"),
        (lambda source: edits.without(source, ["action", "observation.state", FRONT]), "No key would be left"),
        (lambda source: edits.recoded(source, vcodec="h264_nvnc", crf=1, g=1), "cannot encode with h264_nvnc"),
        (lambda source: edits.merged([source]), "at least two"),
        (lambda source: edits.parts(source, {"a": [7]}), "no episode 7"),
        (lambda source: edits.by_fractions(source, {"a": 0.9, "b": 0.2}), "sum to at most 1"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_touched(root, files_of, plan_of, message):
    before = files_of(root.parent)
    with pytest.raises(UserError, match=message):
        edited(root, plan_of)
    assert files_of(root.parent) == before


def test_datasets_that_do_not_fit_together_are_not_merged(root, tmp_path, make_dataset, specs, golden):
    fewer = make_dataset(tmp_path / "fewer", [2])
    edited(fewer, lambda source: edits.without(source, ["action"]))
    with pytest.raises(UserError, match=r"Only one of .* has the key action"):
        edits.merged([Source(root), Source(fewer)])
    with pytest.raises(UserError, match=r"has robot_type so_follower, .* has fake"):
        edits.merged([Source(root), Source(golden / "lerobot_v3")])


def test_other_formats_must_be_converted_first(golden, tmp_path):
    with pytest.raises(UserError, match=r"is a LeRobot v2\.1 dataset.*etude dataset convert"):
        edited(golden / "lerobot_v21", lambda source: edits.delete(source, [0]))
    with pytest.raises(UserError, match="is not a dataset"):
        edited(tmp_path / "nothing", lambda source: edits.delete(source, [0]))
    with pytest.raises(NotFound, match="No task"):
        edits.retasked(Source(golden / "lerobot_v3"), {"?": "!"})


def test_an_output_that_exists_is_not_touched(root, tmp_path):
    (tmp_path / "taken").mkdir()
    plans = edits.parts(Source(root), {"new": [0], "taken": [1]})
    with pytest.raises(UserError, match="taken exists already"):
        apply.create({tmp_path / name: plan for name, plan in plans.items()}, "split")
    assert not (tmp_path / "new").exists()


def test_a_damaged_source_is_named_and_stays(root, files_of):
    path = root / f"videos/{FRONT}/chunk-000/file-003.mp4"
    path.unlink()
    before = files_of(root.parent)
    with pytest.raises(DatasetError, match=r"file-003\.mp4: is missing"):
        edited(root, lambda source: edits.trimmed(source, {3: (0, 2)}))
    with pytest.raises(DatasetError, match=r"file-003\.mp4: is missing"):
        edited(root, lambda source: edits.delete(source, [0]))
    assert files_of(root.parent) == before
