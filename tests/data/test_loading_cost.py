import numpy as np
import pytest

from etude.core.window import Window
from etude.data.cache import FrameCache
from etude.data.loading_cost import LoadingCost, loading_cost
from etude.data.windows import Windows

FRONT = "observation.images.front"
ROWS = np.arange(8)


def cost_of(dataset, cache, keys=("action", FRONT)):
    return loading_cost(dataset, Windows(dataset, Window(), keys, image_size=(12, 16), cache=cache), ROWS, cache)


def cost(**changed):
    given = {
        "cameras": {FRONT: ((480, 640), (224, 224))},
        "num_pictures": 6000,
        "needed_bytes": 903_000_000,
        "room_bytes": 20_000_000_000,
        "ready": 0.25,
        "cpu_ms": 6.04,
        "first_pass": 312.4,
        "later": 15_321.0,
    }
    return LoadingCost(**(given | changed))


def test_it_is_told_in_sentences():
    assert cost().sentences() == (
        "6000 pictures (observation.images.front 640x480 as 224x224) take 0.9 GB decoded; the cache may take 20.0 GB: "
        "all fit. 25% of them are there already. Decoding takes 6.0 ms of processor time per sample: about 310 samples "
        "a second on the first pass over the data, then about 15,000."
    )
    assert "50% fit, and the others are decoded every time" in cost(room_bytes=451_500_000).sentences()
    assert cost(ready=1.0).sentences().endswith("all are in the cache: about 15,000 samples a second.")
    off = cost(room_bytes=0, later=312.4).sentences()
    assert "they are not kept" in off
    assert off.endswith("about 310 samples a second.")
    assert cost(cameras={}, later=7.26).sentences() == (
        "No cameras: samples come from tables alone, about 7.3 a second."
    )


def test_what_is_counted_and_measured(dataset, tmp_path):
    cache = FrameCache(tmp_path, 1 << 30)
    found = cost_of(dataset, cache)
    assert found.cameras == {FRONT: ((48, 64), (12, 16))}
    assert (found.num_pictures, found.needed_bytes, found.room_bytes) == (8, 8 * 12 * 16 * 3, 1 << 30)
    assert found.ready == 0.0
    assert found.cpu_ms > 0
    assert found.fits == 1
    assert 0 < found.first_pass < found.later
    Windows(dataset, Window(), [FRONT], image_size=(12, 16), cache=cache).batch(ROWS)
    cache.flush()
    assert cost_of(dataset, cache).ready == 1.0


def test_a_small_cache_and_none(dataset, tmp_path):
    one_episode = FrameCache(tmp_path, 4 * (12 * 16 * 3 + 1))
    assert cost_of(dataset, one_episode).fits == pytest.approx(0.5, abs=0.01)
    without = cost_of(dataset, None)
    assert (without.room_bytes, without.ready, without.fits) == (0, 0.0, 0.0)
    assert "not kept" in without.sentences()


def test_tables_alone(dataset, tmp_path):
    found = cost_of(dataset, FrameCache(tmp_path, 1 << 30), ["action"])
    assert found.sentences().startswith("No cameras")
    assert found.later > 0
