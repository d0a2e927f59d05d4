"""Which datasets a run learns from, and as what."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from etude.core.errors import NotFound
from etude.core.spec import Spec
from etude.data import create_dataset
from etude.data.sampling import Draw, sampler_of
from etude.policies.act.config import Config
from etude.train.config import TrainConfig
from etude.train.datasets import open_datasets

SPECS = {key: Spec(shape=(1,)) for key in ("observation.state", "action")}


def write(root, intervention=()):
    """Record four frames, of which some are corrections."""
    own = {"intervention": Spec(shape=(1,), dtype="bool")} if intervention else {}
    with closing(create_dataset(root, SPECS | own, fps=10)) as writer:
        for tick in range(4):
            frame = {key: np.full(1, tick, np.float32) for key in SPECS}
            frame |= {key: np.array([intervention[tick]]) for key in own}
            writer.add_frame(frame)
        writer.save_episode("Wave")
    return root


@pytest.fixture
def roots(tmp_path):
    return write(tmp_path / "corrections", [False, False, True, True]), write(tmp_path / "demonstrations")


def opened(*roots, **how):
    return open_datasets(TrainConfig(datasets=roots, policy=Config.tiny(), output_dir=Path("run"), **how))


def test_corrections_count_where_somebody_drove_and_demonstrations_all_over(roots):
    mix = opened(*roots, dataset_weights=(3.0, 1.0), sample_weights="intervention")
    drawn = np.bincount(sampler_of(mix, mix.episodes, Draw(weights="intervention")).draw(4096), minlength=8)
    assert drawn.tolist() == pytest.approx([0, 0, 1536, 1536, 256, 256, 256, 256], abs=3)


def test_a_column_that_none_has_is_named(roots):
    with pytest.raises(NotFound, match="'interventions'"):
        opened(*roots, sample_weights="interventions")


def test_one_dataset_is_itself(roots):
    assert opened(roots[0]).root == roots[0]
