import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.stats import Stats


def test_numbers_worked_out_by_hand():
    stats = Stats.of(np.array([[1.0, 0.0], [3.0, 0.0], [5.0, 6.0]]))
    assert stats.mean.tolist() == [3, 2]
    assert stats.std == pytest.approx([np.sqrt(8 / 3), np.sqrt(8)])
    assert (stats.min.tolist(), stats.max.tolist(), stats.count) == ([1, 0], [5, 6], 3)
    assert stats.quantiles["q50"].tolist() == [3, 0]


@settings(max_examples=50)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(0, 1000))
def test_merging_parts_equals_measuring_the_whole(lengths, seed):
    rng = np.random.default_rng(seed)
    parts = [rng.normal(rng.normal() * 5, 2, (length, 3)) for length in lengths]
    merged, whole = Stats.merge([Stats.of(part) for part in parts]), Stats.of(np.concatenate(parts))
    for name in ("mean", "std", "min", "max"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), atol=1e-9)
    assert merged.count == whole.count


def test_quantiles_merge_as_those_of_the_whole():
    parts = [np.arange(50.0), np.arange(60.0) + 50]
    merged, whole = Stats.merge([Stats.of(part) for part in parts]), Stats.of(np.concatenate(parts))
    for name, value in whole.quantiles.items():
        np.testing.assert_allclose(merged.quantiles[name], value)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=2, max_size=6), st.integers(0, 1000))
def test_merging_is_associative_and_keeps_means_of_large_numbers(lengths, seed):
    rng = np.random.default_rng(seed)
    values = [1e9 + rng.normal(rng.normal() * 5, 2, (length, 3)) for length in lengths]
    parts, whole = [Stats.of(part) for part in values], Stats.of(np.concatenate(values))
    one_by_one = parts[0]
    for part in parts[1:]:
        one_by_one = Stats.merge([one_by_one, part])
    for merged in (Stats.merge(parts), one_by_one):
        np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-14)
        np.testing.assert_allclose(merged.std, whole.std, rtol=1e-5)
        for name, value in whole.quantiles.items():
            spread = whole.max - whole.min
            assert (np.abs(merged.quantiles[name] - value) <= 0.1 * spread).all()


def bare(stats):
    """As they are stored: without a sketch."""
    return Stats.from_json(stats.to_json())


def test_without_sketches_merged_quantiles_are_the_outer_ones():
    merged = Stats.merge([bare(Stats.of(np.arange(101.0))), Stats.of(np.arange(101.0) + 50)])
    assert merged.sketch is None
    assert (merged.quantiles["q10"], merged.quantiles["q50"], merged.quantiles["q90"]) == (10, 50, 140)


def test_json_round_trip():
    stats = Stats.of(np.arange(12.0).reshape(6, 2))
    again = Stats.from_json(json.loads(json.dumps(stats.to_json())))
    np.testing.assert_array_equal(again.std, stats.std)
    assert again.count == 6
    assert again.quantiles.keys() == stats.quantiles.keys()


def test_old_statistics_without_quantiles_are_read():
    stored = {"mean": [0.5], "std": [1.0], "min": [0.0], "max": [1.0], "count": [4]}
    assert Stats.from_json(stored).quantiles == {}


def test_statistics_without_a_count_are_read_and_weigh_the_same():
    parts = [
        Stats.from_json({"mean": [mean], "std": [1.0], "min": [0.0], "max": [9.0]} | count)
        for mean, count in [(2.0, {}), (4.0, {"count": [100]})]
    ]
    assert parts[0].count == 0
    merged = Stats.merge(parts)
    assert merged.mean.tolist() == [3]
    assert merged.std == pytest.approx([np.sqrt(2)])
