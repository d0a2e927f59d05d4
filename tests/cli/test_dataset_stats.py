import json
import shutil

import numpy as np
import pytest

from etude.data import open_dataset

GOLDEN = "lerobot_v3"


@pytest.fixture
def root(tmp_path, monkeypatch):
    from pathlib import Path

    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path / "cache"))
    return shutil.copytree(Path(__file__).parents[1] / "golden" / GOLDEN, tmp_path / "dataset")


def test_a_table_names_every_element(etude, root):
    code, out, _ = etude("dataset", "stats", root, "--key", "action")
    dataset = open_dataset(root)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith(f"action   {dataset.stats['action'].count} frames")
    assert lines[1].split() == ["min", "q01", "q10", "q50", "q90", "q99", "max", "mean", "std"]
    assert [line.split()[0] for line in lines[2:] if line] == list(dataset.specs["action"].names)
    assert float(lines[2].split()[8]) == pytest.approx(dataset.column("action")[:, 0].mean(), rel=1e-2)


def test_what_is_missing_is_measured_and_printed_as_lerobot_stores_it(etude, root):
    (root / "meta/stats.json").write_text("{}")
    code, out, _ = etude("dataset", "stats", root, "--json")
    assert code == 0
    stats, dataset = json.loads(out), open_dataset(root)
    assert stats.keys() == dataset.specs.keys()
    np.testing.assert_allclose(stats["action"]["q99"], np.quantile(dataset.column("action"), 0.99, axis=0), rtol=1e-5)
    assert (root / "meta/stats.json").read_text() == "{}"


def test_recompute_writes_them(etude, root):
    (root / "meta/stats.json").write_text("{}")
    assert etude("dataset", "stats", root, "--recompute", "--json")[0] == 0
    assert "action" in json.loads((root / "meta/stats.json").read_text())


def test_relative_actions(etude, root):
    code, out, _ = etude("dataset", "stats", root, "--key", "action", "--relative_chunk", "3", "--json")
    assert code == 0
    assert "action - state, chunks of 3" in json.loads(out)


def test_a_wrong_key_is_a_user_error(etude, root):
    code, _, err = etude("dataset", "stats", root, "--key", "actio")
    assert code == 2
    assert "Did you mean 'action'" in err
