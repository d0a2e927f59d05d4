"""What is not done, and what is said then."""

import pytest

from etude.core.errors import DatasetError, NotFound, UserError
from etude.data.edit import apply, edits
from etude.data.edit.source import Source

from .conftest import FRONT, edited


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
