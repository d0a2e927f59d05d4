import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.errors import ConfigError
from etude.core.sketch import EXACT_UP_TO, Digest, Histogram, from_bytes, merged, rank_error

LEVELS = [0.01, 0.1, 0.5, 0.9, 0.99]


def drawn(rng, count, kind):
    """Values of very unlike distributions, in two columns."""
    one = {
        "normal": lambda: rng.normal(3, 2, count),
        "heavy": lambda: rng.standard_cauchy(count),
        "two": lambda: rng.integers(0, 2, count).astype(float),
        "flat": lambda: np.full(count, 7.25),
        "sorted": lambda: np.sort(rng.exponential(1, count)),
    }[kind]
    return np.stack([one(), rng.uniform(-1, 1, count)], axis=1)


def assert_ranks_fit(digest, values):
    """Each quantile lies between the values whose ranks are the most that it may be off."""
    found, count = digest.quantiles(LEVELS), len(values)
    ordered = np.sort(values, axis=0)
    for level, row in zip(LEVELS, found, strict=True):
        error = rank_error(level) + 1 / count
        below = ordered[int(np.clip((level - error) * (count - 1), 0, count - 1))]
        above = ordered[int(np.clip(np.ceil((level + error) * (count - 1)), 0, count - 1))]
        assert (row >= below - 1e-9).all(), level
        assert (row <= above + 1e-9).all(), level


kinds = st.sampled_from(["normal", "heavy", "two", "flat", "sorted"])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, EXACT_UP_TO), kinds, st.integers(0, 1000))
def test_few_values_give_their_own_quantiles(count, kind, seed):
    values = drawn(np.random.default_rng(seed), count, kind)
    np.testing.assert_allclose(Digest.of(values).quantiles(LEVELS), np.quantile(values, LEVELS, axis=0), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=8), kinds, st.integers(0, 1000))
def test_quantiles_of_any_merge_are_within_the_promised_ranks(counts, kind, seed):
    rng = np.random.default_rng(seed)
    parts = [drawn(rng, count, kind) * rng.uniform(0.5, 2) for count in counts]
    digests = [Digest.of(part) for part in parts]
    one_by_one = digests[0]
    for digest in digests[1:]:
        one_by_one = Digest.merge([one_by_one, digest])
    backwards = digests[-1]
    for digest in digests[-2::-1]:
        backwards = Digest.merge([digest, backwards])
    for digest in (Digest.merge(digests), one_by_one, backwards):
        assert digest.count == sum(counts)
        assert_ranks_fit(digest, np.concatenate(parts))


def test_many_small_parts_stay_accurate():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60_000, 2))
    digest = Digest.merge([Digest.of(part) for part in np.split(values, 600)])
    assert digest.means.shape == (2, 100)
    np.testing.assert_allclose(digest.quantiles(LEVELS), np.quantile(values, LEVELS, axis=0), atol=0.02)


def test_the_ends_are_exact_and_small_parts_merge_exactly():
    values = np.random.default_rng(1).normal(size=(20_000, 3))
    np.testing.assert_array_equal(Digest.of(values).quantiles([0, 1]), [values.min(0), values.max(0)])
    small = values[:100]
    parts = [Digest.of(part) for part in (small[:30], small[30:31], small[31:])]
    np.testing.assert_allclose(Digest.merge(parts).quantiles(LEVELS), np.quantile(small, LEVELS, axis=0), rtol=1e-12)


def test_values_of_any_shape():
    values = np.random.default_rng(2).normal(size=(500, 2, 3))
    assert Digest.of(values).quantiles(LEVELS).shape == (5, 2, 3)
    assert Digest.of(values[:, 0, 0]).quantiles(LEVELS).shape == (5,)
    with pytest.raises(ConfigError, match="cannot be merged"):
        Digest.merge([Digest.of(values), Digest.of(values[:, 0])])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2000), kinds, st.integers(0, 1000), st.sampled_from([np.float32, np.float64, np.int64]))
def test_a_packed_digest_comes_back(count, kind, seed, dtype):
    values = np.nan_to_num(drawn(np.random.default_rng(seed), count, kind) * 1000).clip(-1e6, 1e6).astype(dtype)
    digest = Digest.of(values)
    again = from_bytes(digest.to_bytes())
    spread = np.ptp(values.astype(float), axis=0)
    assert isinstance(again, Digest)
    assert (again.count, again.shape) == (digest.count, digest.shape)
    assert (np.abs(again.quantiles(LEVELS) - digest.quantiles(LEVELS)) <= 2e-6 * spread).all()
    if dtype == np.float32 and count <= EXACT_UP_TO:
        np.testing.assert_array_equal(again.means, digest.means)


def test_a_digest_is_a_few_kilobytes():
    values = np.random.default_rng(3).normal(size=(300, 6)).astype(np.float32)
    assert len(Digest.of(values).to_bytes()) < 4000


def test_a_histogram_counts_exactly_and_comes_back():
    rng = np.random.default_rng(4)
    pixels = rng.integers(10, 200, (3, 1000))
    whole = Histogram(np.stack([np.bincount(channel, minlength=256) for channel in pixels]), 10)
    parts = [
        Histogram(np.stack([np.bincount(channel[half], minlength=256) for channel in pixels]), 5)
        for half in (slice(0, 300), slice(300, None))
    ]
    both = merged(parts)
    assert isinstance(both, Histogram)
    assert both.count == 10
    np.testing.assert_array_equal(both.counts, whole.counts)
    wanted = np.quantile(pixels / 255, LEVELS, axis=1)
    np.testing.assert_allclose(both.quantiles(LEVELS)[..., 0, 0], wanted, atol=1e-12)
    again = from_bytes(both.to_bytes())
    assert isinstance(again, Histogram)
    assert again.count == 10
    np.testing.assert_array_equal(again.counts, whole.counts)


def test_sketches_that_do_not_belong_together_are_not_merged():
    digest, histogram = Digest.of(np.zeros((3, 1))), Histogram(np.ones((3, 256), np.int64), 1)
    assert merged([digest, None]) is None
    assert merged([digest, histogram]) is None
    assert merged([histogram, Histogram(np.ones((1, 256), np.int64), 1)]) is None
    assert merged([digest, Digest.of(np.zeros((3, 2)))]) is None


@pytest.mark.parametrize("payload", [b"", b"\x09\x01", b"\x01\x01" + bytes(10), bytes(40)])
def test_a_damaged_payload_is_refused(payload):
    with pytest.raises(ConfigError, match=r"[Ss]ketch"):
        from_bytes(payload)


def test_a_payload_cut_short_is_refused():
    payload = Digest.of(np.random.default_rng(5).normal(size=(500, 2))).to_bytes()
    for length in (len(payload) // 2, len(payload) - 1):
        with pytest.raises(ConfigError):
            from_bytes(payload[:length])


def test_a_nan_is_not_hidden():
    values = np.random.default_rng(6).normal(size=(1000, 2))
    values[500, 0] = np.nan
    found = from_bytes(Digest.of(values).to_bytes()).quantiles(LEVELS)
    assert np.isnan(found[:, 0]).all()
    assert np.isfinite(found[:, 1]).all()
