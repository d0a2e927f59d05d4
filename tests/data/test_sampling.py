from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import ConfigError, NotFound, UserError
from etude.core.spec import Spec
from etude.data.episodes import Episodes
from etude.data.sampler import FrameWeightedSampler
from etude.data.sampling import Draw, sampler_of


def _episodes(*lengths):
    return Episodes.in_a_row(lengths, lambda _: ("task",))


def _dataset(*lengths, **columns):
    specs = {name: Spec(shape=values.shape[1:]) for name, values in columns.items()}
    return SimpleNamespace(
        root="there", episodes=_episodes(*lengths), specs=specs, take=lambda key, rows: columns[key][rows]
    )


class TestWeightsOfFrames:
    def test_rows_come_as_often_as_they_weigh(self):
        weights = np.array([0.0, 1.0, 2.0, 5.0, 0.0])
        sampler = FrameWeightedSampler(_episodes(2, 3), weights)
        drawn = np.bincount(sampler.draw(8 * 500), minlength=5)
        np.testing.assert_allclose(drawn / 500, weights, atol=0.05)

    @given(st.lists(st.floats(0, 10), min_size=1, max_size=30).filter(lambda some: sum(some) > 1e-6))
    def test_in_an_epoch_each_count_is_the_share_rounded(self, weights):
        share = np.array(weights) / np.sum(weights) * len(weights)
        drawn = np.bincount(FrameWeightedSampler(_episodes(len(weights)), np.array(weights)).draw(len(weights)))
        counts = np.pad(drawn, (0, len(weights) - len(drawn)))
        assert (np.abs(counts - share) < 1 + 1e-6).all()

    @given(st.integers(0, 40), st.integers(1, 20))
    def test_seeking_is_drawing(self, drawn, count):
        weights = np.arange(7.0)
        straight, sought = (FrameWeightedSampler(_episodes(7), weights, seed=3) for _ in range(2))
        straight.draw(drawn)
        sought.seek(drawn)
        np.testing.assert_array_equal(straight.draw(count), sought.draw(count))

    @pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
    def test_what_is_no_weight_is_named(self, wrong):
        with pytest.raises(UserError, match=r"Row 2 has a weight of"):
            FrameWeightedSampler(_episodes(4), np.array([1, 1, wrong, 1]))

    def test_nothing_but_zeros_is_refused(self):
        with pytest.raises(UserError, match="every frame has a weight of 0"):
            FrameWeightedSampler(_episodes(4), np.zeros(4))

    def test_a_column_gives_them(self):
        dataset = _dataset(4, 4, weight=np.array([[0], [0], [0], [0], [1], [1], [1], [1]], np.float32))
        assert set(sampler_of(dataset, dataset.episodes, Draw(weights="weight")).draw(100)) == {4, 5, 6, 7}

    def test_a_column_that_is_not_there_is_named(self):
        dataset = _dataset(4, weight=np.ones((4, 1), np.float32))
        with pytest.raises(NotFound, match="Did you mean 'weight'"):
            sampler_of(dataset, dataset.episodes, Draw(weights="weights"))

    def test_a_column_of_vectors_is_refused(self):
        dataset = _dataset(4, state=np.ones((4, 3), np.float32))
        with pytest.raises(ConfigError, match="one weight for each frame, got 3"):
            sampler_of(dataset, dataset.episodes, Draw(weights="state"))

    def test_they_are_not_streamed(self):
        with pytest.raises(ConfigError, match="leave out streaming"):
            Draw(is_streamed=True, weights="weight")


class TestEndsOfEpisodes:
    def test_the_last_frames_are_not_drawn(self):
        dataset = _dataset(5, 2, 4)
        drawn = sampler_of(dataset, dataset.episodes, Draw(drop_n_last=2)).draw(500)
        assert set(drawn) == {0, 1, 2, 7, 8}

    def test_dropping_all_is_refused(self):
        dataset = _dataset(5, 2)
        with pytest.raises(ConfigError, match=r"drop_n_last_frames = 5 leaves nothing.*there has 5 frames"):
            sampler_of(dataset, dataset.episodes, Draw(drop_n_last=5))

    def test_no_episodes_are_still_told_so(self):
        with pytest.raises(UserError, match="nothing to sample"):
            sampler_of(_dataset(5), [], Draw())


class TestRowsThatAreLeftOut:
    LEFT_OUT = np.array([False, True, False, False, True, False, True, False, False])

    def test_every_other_row_is_drawn_once_in_an_epoch(self):
        dataset = _dataset(5, 4)
        sampler = sampler_of(dataset, dataset.episodes, Draw(), left_out=self.LEFT_OUT)
        assert len(sampler) == 6
        assert sorted(sampler.draw(6)) == [0, 2, 3, 5, 7, 8]

    def test_episodes_side_by_side_stay_apart(self):
        dataset = _dataset(2, 3)
        chosen = sampler_of(dataset, dataset.episodes.chosen([1]), Draw(), left_out=np.zeros(5, bool))
        assert set(chosen.draw(9)) == {2, 3, 4}

    def test_they_weigh_nothing(self):
        dataset = _dataset(5, 4, weight=np.arange(9, dtype=np.float32)[:, None])
        drawn = sampler_of(dataset, dataset.episodes, Draw(weights="weight"), left_out=self.LEFT_OUT).draw(500)
        np.testing.assert_allclose(np.bincount(drawn, minlength=9) / 20, [0, 0, 2, 3, 0, 5, 0, 7, 8], atol=0.1)

    def test_they_are_not_streamed(self):
        dataset = _dataset(5, 4)
        dataset.file_groups = lambda: np.array([0, 1])
        sampler = sampler_of(dataset, dataset.episodes, Draw(is_streamed=True), left_out=self.LEFT_OUT)
        assert sorted(sampler.draw(6)) == [0, 2, 3, 5, 7, 8]

    def test_leaving_out_everything_is_refused(self):
        with pytest.raises(UserError, match="nothing to sample"):
            sampler_of(_dataset(5), _episodes(5), Draw(), left_out=np.ones(5, bool))
