import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.rollout.statistics import (
    Pairs,
    fisher,
    holm,
    mcnemar,
    mean_difference,
    newcombe,
    newcombe_paired,
    rollouts_needed,
    scenes_needed,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_intervals(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_rate_and_stays_within_0_and_1(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1


def test_nothing_known_without_rollouts():
    assert wilson(0, 0) == (0.0, 1.0)


# Children before and after a transplantation, in Fagerland, Lydersen and Laake (2014).
CHILDREN = Pairs(both=1, first=1, second=7, neither=12)


def test_a_published_pair():
    assert mcnemar(CHILDREN) == pytest.approx(0.0703125)  # 2 (1 + 8) / 2^8
    assert newcombe_paired(CHILDREN) == pytest.approx((0.026, 0.507), abs=5e-4)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    # What SciPy's binomtest says of so many of both.
    [(3, 11, 0.057373046875), (0, 5, 0.0625), (10, 10, 1.0), (12, 27, 0.023702702470473), (0, 0, 1.0)],
)
def test_mcnemar(first, second, p):
    assert mcnemar(Pairs(both=4, first=first, second=second, neither=9)) == pytest.approx(p)


@pytest.mark.parametrize(
    ("counts", "p"),
    # What SciPy's fisher_exact says.
    [
        ((8, 10, 1, 6), 0.034965034965034975), ((56, 70, 48, 80), 0.012521129749209154),
        ((9, 10, 3, 10), 0.019766611097880443), ((0, 20, 5, 20), 0.04712404712404713), ((0, 9, 0, 9), 1.0),
    ],
)  # fmt: skip
def test_fisher(counts, p):
    assert fisher(*counts) == pytest.approx(p)


def test_fisher_counts_thousands_of_rollouts():
    # Chi squared of this table is 3.21 with one degree of freedom, less Yates's correction 3.05: p between the two.
    assert 0.07 < fisher(500, 1000, 540, 1000) < 0.09


def test_a_published_difference():
    # Newcombe (1998), comparison of eleven methods, table II (a), method 10: 56/70 against 48/80.
    assert newcombe(48, 80, 56, 70) == pytest.approx((0.0524, 0.3339), abs=1e-4)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(1, 30))
def test_intervals_hold_the_difference_and_turn_round_with_it(both, first, second, neither):
    pairs = Pairs(both=both, first=first, second=second, neither=neither)
    low, high = newcombe_paired(pairs)
    assert -1 <= low <= (second - first) / pairs.n + 1e-12
    assert (second - first) / pairs.n - 1e-12 <= high <= 1
    other = Pairs(both=both, first=second, second=first, neither=neither)
    assert newcombe_paired(other) == pytest.approx((-high, -low), abs=1e-12)
    assert 0 < mcnemar(pairs) <= 1
    assert mcnemar(pairs) == pytest.approx(mcnemar(other))


def test_pairs_are_counted():
    assert Pairs.of([True, True, False, False, True], [True, False, True, False, False]) == Pairs(
        both=1, first=2, second=1, neither=1
    )


def test_a_smaller_difference_needs_more():
    # Fleiss (1981): 93 of each tell 50 % from 70 %.
    assert rollouts_needed(0.5, 0.7) == 93
    assert rollouts_needed(0.5, 0.6) == 388
    assert rollouts_needed(0.5, 0.5) is None


def test_scenes_that_a_pair_needs():
    # By hand: 0.4 of the scenes differ, by 0.2: ((1.95996 sqrt(0.4) + 0.84162 sqrt(0.36)) / 0.2)^2 = 76.05.
    expected = ((1.959964 * math.sqrt(0.4) + 0.841621 * math.sqrt(0.36)) / 0.2) ** 2
    assert scenes_needed(Pairs(both=3, first=1, second=3, neither=3)) == math.ceil(expected) == 77
    assert scenes_needed(Pairs(both=3, first=2, second=2, neither=3)) is None


def test_paired_means_are_told_apart_where_unpaired_ones_are_not():
    rng = np.random.default_rng(0)
    first = rng.normal(10, 3, 40)
    second = first + rng.normal(0.5, 0.4, 40)
    difference, low, high = mean_difference(first, second, is_paired=True)
    assert 0 < low < difference < high
    half = 1.96 * np.std(second - first) / math.sqrt(40)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    _, low, high = mean_difference(first, second, is_paired=False)
    assert low < 0 < high


def test_resampling_repeats():
    values = np.random.default_rng(1).normal(size=(2, 20))
    assert mean_difference(*values, is_paired=True) == mean_difference(*values, is_paired=True)


def test_several_tests_are_adjusted_by_holm():
    # Smallest times 3; the next times 2 is 0.06; the largest must not be less than that.
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
