import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from etude.core.errors import NotFound, UserError
from etude.data import open_dataset, versions
from etude.data.recompute import recompute
from etude.data.sketches import FOLDER, read_sketches, sketches_file

FRONT = "observation.images.front"


@pytest.fixture
def root(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "dataset")


def stats_json(root):
    return json.loads((root / "meta/stats.json").read_text())


def episode_rows(root):
    return [row for path in sorted(root.glob("meta/episodes/*/*")) for row in pq.read_table(path).to_pylist()]


def assert_close(found, wanted):
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        if isinstance(value, dict):
            assert_close(found[key], value)
        else:
            np.testing.assert_allclose(np.array(found[key]), np.array(value), atol=1e-6, err_msg=key)


def spoil(root):
    """Give the dataset wrong statistics everywhere."""
    stats = stats_json(root)
    for key in ("action", FRONT):
        stats[key]["mean"] = (np.array(stats[key]["mean"]) + 7).tolist()
    del stats["observation.state"]
    (root / "meta/stats.json").write_text(json.dumps(stats))
    for path in root.glob("meta/episodes/*/*"):
        table = pq.read_table(path)
        pq.write_table(table.drop_columns(["stats/action/q01", "stats/observation.state/mean"]), path)
    shutil.rmtree(root / FOLDER)


def test_wrong_and_missing_statistics_are_measured_again(root):
    wanted, rows = stats_json(root), episode_rows(root)
    spoil(root)
    told = []
    assert FRONT in recompute(root, tell=lambda *done: told.append(done))
    assert told == [(1, 3), (2, 3), (3, 3)]
    found = stats_json(root)
    # What was measured while recording were the pictures before they were encoded.
    for part in (found, wanted):
        part.pop(FRONT)
    assert_close(found, wanted)
    for row, old in zip(episode_rows(root), rows, strict=True):
        kept = [name for name in old if not name.startswith((f"stats/{FRONT}", "meta/", "tasks"))]
        assert row["tasks"] == old["tasks"]
        assert_close({name: row[name] for name in kept}, {name: old[name] for name in kept})
    dataset = open_dataset(root)
    files = [sketches_file(root, path) for path in dataset.contents.tables]
    assert {number: sorted(part) for number, part in read_sketches(files).items()} == dict.fromkeys(
        range(3), sorted(dataset.specs)
    )
    pictures = dataset.images(FRONT, np.arange(8)).reshape(-1, 3) / 255
    np.testing.assert_allclose(dataset.stats[FRONT].mean.ravel(), pictures.mean(0))


def test_rows_and_pictures_stay_the_same_files_and_it_can_be_undone(root):
    before = {path: path.stat().st_ino for path in [*root.glob("data/*/*"), *root.glob("videos/*/*/*")]}
    spoil(root)
    wrong = stats_json(root)
    recompute(root)
    assert {path: path.stat().st_ino for path in before} == before
    assert versions.undo(root) == "measured all keys again"
    assert stats_json(root) == wrong


def test_one_key_alone(root):
    spoil(root)
    wrong = stats_json(root)
    assert recompute(root, ["action"]) == ["action"]
    found = stats_json(root)
    assert found[FRONT] == wrong[FRONT]
    np.testing.assert_allclose(found["action"]["mean"], open_dataset(root).column("action").mean(0))


def test_an_unknown_key_or_another_format_is_refused(root, golden, tmp_path):
    with pytest.raises(NotFound, match="Did you mean 'action'"):
        recompute(root, ["actoin"])
    old = shutil.copytree(golden / "lerobot_v21", tmp_path / "old")
    with pytest.raises(UserError, match="dataset convert"):
        recompute(old)
    assert not (tmp_path / ".old.etude").exists()


def test_a_dataset_that_lerobot_wrote(golden, tmp_path):
    root = shutil.copytree(golden / "lerobot_v3", tmp_path / "dataset")
    wanted = stats_json(root)
    recompute(root)
    found = stats_json(root)
    assert found.keys() == wanted.keys()
    for key, part in wanted.items():
        for name in ("mean", "std", "min", "max"):
            scale = 255 if "images" in key else 1
            np.testing.assert_allclose(found[key][name], part[name], atol=3 / 255 if scale > 1 else 1e-5, err_msg=key)
