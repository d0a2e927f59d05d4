import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from etude.core.errors import DatasetError
from etude.core.sketch import Digest, Histogram
from etude.core.stats import Stats
from etude.data import open_dataset
from etude.data.lerobot.stats_file import merge_episodes
from etude.data.sketches import (
    FOLDER,
    merge_sketches,
    read_sketches,
    sketches_file,
    sketches_of,
    with_sketches,
    write_sketches,
)

FRONT = "observation.images.front"


def measured(seed, count=200):
    return {"action": Stats.of(np.random.default_rng(seed).normal(size=(count, 2)))}


def test_what_is_written_comes_back(tmp_path):
    path = tmp_path / "sketches/chunk-000/file-003.parquet"
    histogram = Histogram(np.arange(768).reshape(3, 256), 7)
    episodes = {4: {"action": Digest.of(np.arange(6.0).reshape(3, 2)), FRONT: histogram}, 2: {FRONT: histogram}}
    write_sketches(path, episodes)
    found = read_sketches([path, tmp_path / "not there.parquet"])
    assert {number: sorted(part) for number, part in found.items()} == {2: [FRONT], 4: ["action", FRONT]}
    np.testing.assert_array_equal(found[4][FRONT].counts, histogram.counts)
    assert found[4]["action"].quantiles([0.5]).tolist() == [[2, 3]]
    assert pq.read_schema(path).names == ["episode_index", "key", "payload"]


def test_without_sketches_there_is_no_file(tmp_path):
    path = tmp_path / "file-000.parquet"
    write_sketches(path, {0: measured(0)} and {0: sketches_of(measured(0))})
    assert path.exists()
    write_sketches(path, {0: {}})
    assert not path.exists()


def test_sketches_of_all_episodes_tell_the_quantiles_of_the_whole(tmp_path):
    parts = [measured(seed, 100) for seed in range(600)]
    for file, first in enumerate(range(0, 600, 200)):
        place = sketches_file(tmp_path, tmp_path / f"data/chunk-000/file-{file:03d}.parquet")
        write_sketches(place, {number: sketches_of(parts[number]) for number in range(first, first + 200)})
    stored = [{key: Stats.from_json(part.to_json()) for key, part in each.items()} for each in parts]
    bounds = merge_episodes(stored)
    told = with_sketches(bounds, merge_sketches(tmp_path, 600))["action"]
    whole = Stats.of(np.concatenate([np.random.default_rng(seed).normal(size=(100, 2)) for seed in range(600)]))
    for name, value in whole.quantiles.items():
        np.testing.assert_allclose(told.quantiles[name], value, atol=0.03)
    assert (np.abs(bounds["action"].quantiles["q50"] - whole.quantiles["q50"]) > 0.2).all()
    assert merge_sketches(tmp_path, 601) == {}
    assert merge_sketches(tmp_path, 599)["action"].count == 59_900


def test_a_damaged_sketch_is_named(tmp_path):
    path = tmp_path / "file-000.parquet"
    write_sketches(path, {0: sketches_of(measured(0))})
    table = pq.read_table(path)
    cut = [payload[:-9] for payload in table["payload"].to_pylist()]
    pq.write_table(table.set_column(2, "payload", [cut]), path)
    with pytest.raises(DatasetError, match=r"file-000.parquet.*damaged.*stats --recompute"):
        read_sketches([path])


def test_a_recording_keeps_a_sketch_of_every_key_and_episode(recorded):
    dataset = open_dataset(recorded)
    files = [sketches_file(recorded, path) for path in dataset.contents.tables]
    assert all(path.exists() for path in files)
    found = read_sketches(files)
    assert {number: sorted(part) for number, part in found.items()} == dict.fromkeys(range(3), sorted(dataset.specs))
    for key in ("action", "observation.state"):
        values = dataset.column(key).astype(float)
        both = Digest.merge([found[number][key] for number in range(3)])
        np.testing.assert_allclose(both.quantiles([0.01, 0.5]), np.quantile(values, [0.01, 0.5], axis=0))
        np.testing.assert_allclose(dataset.stats[key].quantiles["q50"], np.quantile(values, 0.5, axis=0))


def test_recording_goes_on_with_the_quantiles_of_what_is_there(recorded, make_dataset, tmp_path):
    root = shutil.copytree(recorded, tmp_path / "dataset")
    make_dataset(root, [6, 6], first=2, resume=True)
    dataset = open_dataset(root)
    for key in ("action", "observation.state"):
        values = dataset.column(key)
        np.testing.assert_allclose(dataset.stats[key].quantiles["q50"], np.quantile(values, 0.5, axis=0))
    shutil.rmtree(root / FOLDER)
    make_dataset(root, [1], first=3, resume=True)
    assert open_dataset(root).stats["action"].quantiles["q50"][0] == -3  # an outer bound: half of all are above -2
