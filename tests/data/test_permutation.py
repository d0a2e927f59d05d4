import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.data.permutation import Permutation


@given(length=st.one_of(st.integers(0, 20), st.integers(4000, 9000)), seed=st.integers(0, 2**63))
def test_every_number_stands_somewhere_once(length, seed):
    assert sorted(Permutation(length, [seed])[np.arange(length)]) == list(range(length))


@given(seed=st.integers(0, 99), asked=st.lists(st.integers(0, 29_999_999), max_size=20))
def test_a_position_is_computed_alone(seed, asked):
    order = Permutation(30_000_000, [seed, 1])
    together = order[np.array(asked, np.int64)]
    assert together.tolist() == [order[np.array([one])].item() for one in asked]
    assert all(0 <= place < 30_000_000 for place in together)
    assert len(set(together.tolist())) == len(set(asked))


@pytest.mark.parametrize("length", [5000, 20_000, 30_000_000])
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_neighbours_have_nothing_to_do_with_each_other(length, seed):
    drawn = min(length, 20_000)
    places = Permutation(length, [seed, 3])[np.arange(drawn)]
    for lag in (1, 2, 3, 64, 1024):
        correlation = np.corrcoef(places[:-lag], places[lag:])[0, 1]
        assert abs(correlation) < 5 / drawn**0.5
    assert abs(np.corrcoef(places, np.arange(drawn))[0, 1]) < 5 / drawn**0.5


def test_any_stretch_covers_the_whole_evenly():
    places = Permutation(30_000_000, [4, 0])[np.arange(5_000_000, 5_000_000 + 64_000)]
    counts = np.bincount(places // 300_000, minlength=100)
    assert ((counts - 640) ** 2 / 640).sum() < 99 + 5 * (2 * 99) ** 0.5


def test_epochs_differ():
    orders = [Permutation(1000, [3, epoch])[np.arange(1000)] for epoch in range(4)]
    for one in range(4):
        for other in range(one):
            assert (orders[one] == orders[other]).mean() < 0.02
