"""What frames weigh around the moments at which a hand closes and opens."""

from __future__ import annotations

import numpy as np
import pytest

from etude.core.errors import ConfigError
from etude.core.frame import example
from etude.core.spec import Spec
from etude.data import create_dataset
from etude.data.grips import grip_weights
from etude.data.opening import open_dataset
from etude.data.sampling import Draw, sampler_of

FPS = 10
OPEN, CLOSED = 40.0, 5.0


def _recorded(folder, episodes, names=("pan.pos", "gripper.pos")):
    """Write one episode for each list of whether the hand is open."""
    specs = {"observation.state": Spec(shape=(2,), names=names), "action": Spec(shape=(2,), names=names)}
    writer = create_dataset(folder, specs, fps=FPS)
    frame = example(specs, np.random.default_rng(0))
    for opens in episodes:
        for is_open in opens:
            writer.add_frame({**frame, "action": np.array([0.0, OPEN if is_open else CLOSED], np.float32)})
        writer.save_episode("Grasp")
    writer.close()
    return open_dataset(folder)


@pytest.fixture
def dataset(tmp_path):
    """The hand closes at frame 6 and opens at frame 12; in the second episode it only closes, at frame 1."""
    return _recorded(tmp_path / "d", [[1] * 6 + [0] * 6 + [1] * 4, [1] + [0] * 5])


def test_frames_before_a_grasp_and_just_after_weigh_more(dataset):
    weights = grip_weights(dataset, grasp=3.0, release=1.0, before_s=0.4)
    first, second = [1, 1, 3, 3, 3, 3, 3, 3, *[1] * 8], [3, 3, 3, 1, 1, 1]
    assert weights.tolist() == first + second


def test_where_both_are_near_the_larger_counts(dataset):
    weights = grip_weights(dataset, grasp=2.0, release=5.0, before_s=0.5)[:16]
    assert weights.tolist() == [1, 2, 2, 2, 2, 2, 2, 5, 5, 5, 5, 5, 5, 5, 1, 1]


def test_less_than_one_draws_them_less(dataset):
    weights = grip_weights(dataset, grasp=0.5, release=1.0, before_s=0.1)[:16]
    assert weights.tolist() == [*[1] * 5, 0.5, 0.5, 0.5, *[1] * 8]


def test_rows_are_drawn_as_they_weigh_and_those_left_out_are_not(dataset):
    weights = grip_weights(dataset, grasp=3.0, release=1.0, before_s=0.4)
    left_out = np.zeros(22, bool)
    left_out[2] = True
    sampler = sampler_of(dataset, dataset.episodes, Draw(), left_out=left_out, emphasis=weights)
    counts = np.bincount(sampler.draw(21_000), minlength=22)
    wanted = np.where(left_out, 0, weights)
    np.testing.assert_allclose(counts / 21_000, wanted / wanted.sum(), atol=0.005)


def test_a_stream_has_no_weights(dataset):
    with pytest.raises(ConfigError, match="leave out streaming"):
        sampler_of(dataset, dataset.episodes, Draw(is_streamed=True), emphasis=np.ones(22))


def test_without_a_gripper_it_says_so(tmp_path):
    arm = _recorded(tmp_path / "arm", [[1, 0]], names=("pan.pos", "lift.pos"))
    with pytest.raises(ConfigError, match=r"'gripper' in names of actions.*pan.pos, lift.pos"):
        grip_weights(arm, grasp=2.0, release=1.0, before_s=1.0)
