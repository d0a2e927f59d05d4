import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.stats import Stats
from etude.data.image_stats import counted_in_frames, histogram, image_stats, sampled_frames


def of(pictures):
    return image_stats(np.stack([histogram(picture) for picture in pictures]))


def test_two_plain_pictures_by_hand():
    stats = of([np.full((2, 2, 3), 0, np.uint8), np.full((2, 2, 3), 255, np.uint8)])
    assert stats.count == 2
    assert stats.mean.shape == (3, 1, 1)
    np.testing.assert_allclose(stats.mean, 0.5)
    np.testing.assert_allclose(stats.std, 0.5)
    np.testing.assert_allclose(stats.min, 0)
    np.testing.assert_allclose(stats.max, 1)
    np.testing.assert_allclose(stats.quantiles["q50"], 0.5)
    np.testing.assert_allclose(stats.quantiles["q10"], 0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 6), height=st.integers(1, 9), width=st.integers(1, 9))
def test_equals_the_statistics_of_the_pixels_themselves(seed, frames, height, width):
    rng = np.random.default_rng(seed)
    pictures = rng.integers(rng.integers(0, 200), 256, (frames, height, width, 3), dtype=np.uint8)
    wanted, got = Stats.of(pictures.reshape(-1, 3) / 255), of(pictures)
    for name in ("mean", "std", "min", "max"):
        np.testing.assert_allclose(getattr(got, name).ravel(), getattr(wanted, name), atol=1e-12)
    for name, value in wanted.quantiles.items():
        np.testing.assert_allclose(got.quantiles[name].ravel(), value, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "pixels"),
    [((299, 200), 299 * 200), ((480, 640), 120 * 160), ((300, 20), 150 * 10), ((720, 1280), 90 * 160)],
)
def test_large_pictures_are_thinned_as_lerobot_does(shape, pixels):
    assert histogram(np.zeros((*shape, 3), np.uint8))[0].sum() == pixels


def test_long_episodes_are_sampled_from_their_first_to_their_last_frame():
    assert sampled_frames(3).tolist() == [0, 1, 2]
    assert len(sampled_frames(99)) == 99
    assert len(sampled_frames(100)) == 100  # 100^0.75 is 31: never fewer than 100
    long = sampled_frames(10_000)
    assert (len(long), long[0], long[-1]) == (1000, 0, 9999)
    assert len(sampled_frames(10_000_000)) == 10_000


def test_episodes_measured_apart_merge_into_the_whole():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (9, 6, 5, 3), dtype=np.uint8)
    merged, whole = Stats.merge([of(pictures[:2]), of(pictures[2:])]), of(pictures)
    assert merged.count == 9
    for name in ("mean", "std", "min", "max"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), atol=1e-12)
    for name, value in whole.quantiles.items():
        np.testing.assert_array_equal(merged.quantiles[name], value)


def test_a_count_of_pixels_is_told_from_one_of_frames():
    frames = of([np.zeros((4, 4, 3), np.uint8)] * 5)
    pixels = Stats(mean=frames.mean, std=frames.std, min=frames.min, max=frames.max, count=460_800)
    assert counted_in_frames(frames, 5).count == 5
    assert counted_in_frames(pixels, 5).count == 5
    assert counted_in_frames(pixels, 300).count == 100
