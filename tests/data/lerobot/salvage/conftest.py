"""What LeRobot left when it was killed while recording; the golden dataset is what LeRobot 0.4.4 itself left."""

import importlib.util
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from etude.data import open_dataset
from etude.data.check import check
from etude.data.lerobot import footer, header, schema
from etude.data.lerobot.salvage import is_damaged

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
