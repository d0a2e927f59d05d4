import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from etude.core.errors import ConfigError
from etude.core.stats import QUANTILES, Stats
from etude.data import open_dataset, statistics
from etude.data.statistics import measure, measured, relative_action_stats

FRONT = "observation.images.front"


@pytest.fixture
def root(recorded, tmp_path, monkeypatch):
    """A dataset of 8 frames whose statistics may be taken away, and a cache of its own."""
    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path / "cache"))
    return shutil.copytree(recorded, tmp_path / "dataset")


def keep(root, **wanted):
    """Keep of the stored statistics only these names of these keys."""
    path = root / "meta/stats.json"
    stored = json.loads(path.read_text())
    kept = {key: {name: stored[key][name] for name in names} for key, names in wanted.items()}
    path.write_text(json.dumps(kept))


def assert_same(stats, wanted):
    for name in ("mean", "std", "min", "max"):
        np.testing.assert_allclose(getattr(stats, name), getattr(wanted, name), atol=1e-12)
    for name in QUANTILES:
        np.testing.assert_allclose(stats.quantiles[name], wanted.quantiles[name], atol=1e-12)
    assert stats.count == wanted.count


def test_quantiles_that_old_datasets_lack_are_there_when_asked_for(root):
    keep(root, action=["mean", "std", "min", "max"])
    dataset = open_dataset(root)
    assert dataset.contents.stats["action"].quantiles == {}
    assert_same(dataset.stats["action"], Stats.of(dataset.column("action")))


def test_keys_without_statistics_are_measured_pictures_too(root):
    keep(root)
    dataset = open_dataset(root)
    assert set(dataset.stats) == set(dataset.specs)
    assert_same(dataset.stats["observation.state"], Stats.of(dataset.column("observation.state")))
    pictures = dataset.images(FRONT, np.arange(8)).reshape(-1, 3) / 255
    mean = dataset.stats[FRONT].mean
    assert mean.shape == (3, 1, 1)
    np.testing.assert_allclose(mean.ravel(), pictures.mean(0), atol=1e-12)
    assert dataset.stats[FRONT].count == 8


def test_what_is_stored_of_a_camera_is_taken_as_it_is(root):
    keep(root, **{FRONT: ["mean", "std", "min", "max", "count"]})
    dataset = open_dataset(root)
    assert dataset.stats[FRONT].quantiles == {}
    assert measured(dataset, FRONT).quantiles.keys() == QUANTILES.keys()


def test_stored_statistics_are_not_measured(root, monkeypatch):
    monkeypatch.setattr(statistics, "measure", None)
    dataset = open_dataset(root)
    assert dataset.stats["action"].count == 8
    assert "nothing" not in dataset.stats
    with pytest.raises(KeyError):
        dataset.stats["nothing"]


def test_what_was_measured_is_remembered_until_the_data_change(root, tmp_path, make_dataset, monkeypatch):
    keep(root)
    first = {key: open_dataset(root).stats[key] for key in ("action", FRONT)}
    copied = shutil.copytree(root, tmp_path / "copy")
    with monkeypatch.context() as patch:
        patch.setattr(statistics, "measure", None)
        for key, stats in first.items():
            again = open_dataset(copied).stats[key]
            assert_same(again, stats)
            np.testing.assert_array_equal(again.sketch.quantiles([0.3]), stats.sketch.quantiles([0.3]))
    make_dataset(copied, [3], first=3, resume=True)
    keep(copied)
    assert open_dataset(copied).stats["action"].count == 11
    assert len(list((tmp_path / "cache/stats").iterdir())) == 3


def test_a_damaged_memory_is_measured_again(root, tmp_path):
    keep(root)
    wanted = open_dataset(root).stats["action"]
    (file,) = (tmp_path / "cache/stats").iterdir()
    file.write_text("{}")
    assert_same(open_dataset(root).stats["action"], wanted)


def test_a_dataset_that_cannot_be_written_to_has_statistics(root, tmp_path):
    keep(root)
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    assert open_dataset(root).stats["action"].count == 8
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before


def test_parts_give_what_the_whole_gives(dataset, monkeypatch):
    whole = measure(dataset, "action")
    monkeypatch.setattr(statistics, "_ROWS", 3)
    told = []
    assert_same(measure(dataset, "action", lambda *done: told.append(done)), whole)
    assert told == [(3, 8), (6, 8), (8, 8)]


@pytest.mark.parametrize("chunk_size", [1, 3, 50])
def test_relative_actions_are_measured_as_far_as_episodes_reach(dataset, chunk_size, monkeypatch):
    monkeypatch.setattr(statistics, "_ROWS", 4)
    action, state = dataset.column("action").astype(float), dataset.column("observation.state")
    wanted = [
        action[row + step] - state[row]
        for episode in dataset.episodes
        for row in range(episode.start, episode.stop)
        for step in range(chunk_size)
        if row + step < episode.stop
    ]
    assert_same(relative_action_stats(dataset, chunk_size), Stats.of(np.array(wanted)))


def test_relative_actions_need_a_state_for_each(dataset):
    narrow = replace(dataset.specs["action"], shape=(1,))
    without = SimpleNamespace(specs={"action": narrow, "observation.state": dataset.specs["observation.state"]})
    with pytest.raises(ConfigError, match=r"need 'action' and 'observation.state' of one shape"):
        relative_action_stats(without, 5)


def test_the_real_dataset_gains_quantiles(g1_bottle, tmp_path, monkeypatch):
    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path))
    dataset = open_dataset(g1_bottle)
    stats = dataset.stats["action"]
    np.testing.assert_allclose(stats.quantiles["q01"], np.quantile(dataset.column("action"), 0.01, axis=0), atol=1e-6)
