import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etude.core.errors import NotFound
from etude.core.spec import Spec
from etude.core.window import Window
from etude.data.cache import FrameCache
from etude.data.dataset import Dataset, Episodes
from etude.data.windows import Windows

CAMERA = "observation.images.front"


class Recorded(Dataset):
    """A dataset in memory that remembers what it was asked to decode; its values tell their own row."""

    def __init__(self, lengths, group=1, channels=3):
        self.episodes, self.group = Episodes.in_a_row(lengths, lambda _: ("t",)), group
        self.specs = {"action": Spec(shape=(2,)), CAMERA: Spec(shape=(2, 4, channels), dtype="uint8")}
        self.channels, self.decoded, self.lock = channels, [], threading.Lock()
        self.num_frames = sum(lengths)

    def column(self, key):
        rows = np.arange(self.num_frames)
        return rows % 2 if key == "task_index" else np.stack([rows, -rows], 1).astype(np.float32)

    def images(self, key, rows, size=None):
        with self.lock:
            self.decoded.append(rows.tolist())
        return self._drawn(rows, size)

    def decode(self, key, rows, size):
        start = self.episodes.start[self.episodes.of(rows)]
        first = start + (rows - start) // self.group * self.group
        wanted = np.unique(first[:, None] + np.arange(self.group))
        wanted = np.intersect1d(wanted, np.arange(self.num_frames))
        wanted = wanted[np.isin(self.episodes.of(wanted), self.episodes.of(rows))]
        with self.lock:
            self.decoded.append(wanted.tolist())
        return wanted, self._drawn(wanted, size)

    def fingerprint(self, key, number):
        return f"{key} {self.episodes.start[number]} {self.episodes.length[number]}"

    def _drawn(self, rows, size):
        shape = (len(rows), *(size or (2, 4)), self.channels)
        return np.broadcast_to(rows[:, None, None, None], shape).astype(np.uint8)


def oracle(episodes, offsets, row):
    """What the window of one row holds, the long way round."""
    home = next(episode for episode in episodes if episode.start <= row < episode.stop)
    rows, pads = [], []
    for offset in offsets:
        wanted = row + offset
        pads.append(not home.start <= wanted < home.stop)
        rows.append(min(max(wanted, home.start), home.stop - 1))
    return rows, pads


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    group=st.integers(1, 4),
    action=st.lists(st.integers(-8, 8), min_size=1, max_size=6),
    camera=st.lists(st.integers(-8, 8), min_size=1, max_size=3),
    cache_bytes=st.sampled_from([None, 0, 60, 150, 1 << 20]),
    data=st.data(),
)
def test_windows_and_padding_equal_the_oracle(tmp_path_factory, lengths, group, action, camera, cache_bytes, data):
    dataset = Recorded(lengths, group)
    window = Window(offsets={"action": tuple(action), CAMERA: tuple(camera)})
    cache = FrameCache(tmp_path_factory.mktemp("cache"), cache_bytes) if cache_bytes is not None else None
    windows = Windows(dataset, window, ["action", CAMERA], cache=cache)
    for _ in range(3):
        rows = data.draw(st.lists(st.integers(0, dataset.num_frames - 1), max_size=8))
        batch = windows.batch(np.array(rows))
        for sample, row in enumerate(rows):
            wanted, pads = oracle(dataset.episodes, action, row)
            assert batch["action"][sample, :, 0].tolist() == wanted
            assert batch["action_is_pad"][sample].tolist() == pads
            wanted, pads = oracle(dataset.episodes, camera, row)
            assert batch[CAMERA][sample, :, 0, 0, 0].tolist() == wanted
            assert batch[f"{CAMERA}_is_pad"][sample].tolist() == pads
        assert batch["task_index"].tolist() == [row % 2 for row in rows]
        if cache:
            cache.flush()
            assert sum(stored.num_bytes for stored in cache.listed()) <= cache_bytes


def test_a_window_by_hand():
    batch = Windows(Recorded([3, 2]), Window(offsets={"action": (-1, 0, 1)}), ["action"]).batch(np.array([2, 3]))
    assert batch["action"][..., 0].tolist() == [[1, 2, 2], [3, 3, 4]]
    assert batch["action_is_pad"].tolist() == [[False, False, True], [True, False, False]]


def test_offsets_pass_over_rows_that_are_left_out():
    left_out = np.array([False, True, True, False, False, False, True])
    window = Window(offsets={"action": (-1, 0, 1, 2)})
    windows = Windows(Recorded([5, 2]), window, ["action"], left_out=left_out)
    batch = windows.batch(np.array([0, 3, 5]))
    assert batch["action"][..., 0].tolist() == [[0, 0, 3, 4], [0, 3, 4, 4], [5, 5, 5, 5]]
    assert batch["action_is_pad"].tolist() == [
        [True, False, False, False],
        [False, False, False, True],
        [True, False, True, True],
    ]
    assert windows.looked_at("action", np.array([3])).tolist() == [0, 3, 4]


def test_a_row_that_is_left_out_is_seen_as_the_last_one_before_it():
    left_out = np.array([False, False, True, False])
    windows = Windows(Recorded([4]), Window(offsets={"action": (0, 1)}), ["action"], left_out=left_out)
    assert windows.batch(np.array([2]))["action"][..., 0].tolist() == [[1, 3]]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_what_is_left_out_might_as_well_not_have_been_recorded(lengths, data):
    rest = [[True, *data.draw(st.lists(st.booleans(), min_size=n - 1, max_size=n - 1))] for n in lengths]
    is_kept = np.concatenate(rest)
    offsets = tuple(data.draw(st.lists(st.integers(-8, 8), min_size=1, max_size=5)))
    whole, shorter = Recorded(lengths), Recorded([sum(each) for each in rest])
    kept, window = np.flatnonzero(is_kept), Window(offsets={"action": offsets})
    batch = Windows(whole, window, ["action"], left_out=~is_kept).batch(kept)
    wanted = Windows(shorter, window, ["action"]).batch(np.arange(len(kept)))
    assert batch["action_is_pad"].tolist() == wanted["action_is_pad"].tolist()
    assert batch["action"][..., 0].tolist() == kept[wanted["action"][..., 0].astype(int)].tolist()


def test_without_offsets_there_is_no_time_and_no_padding():
    windows = Windows(Recorded([3, 2]), Window(), ["action", CAMERA], image_size=(1, 2))
    batch = windows.batch(np.array([4, 0]))
    assert len(windows) == 5
    assert set(batch) == {"action", CAMERA, "task_index"}
    assert batch["action"].tolist() == [[4, -4], [0, 0]]
    assert (batch[CAMERA].shape, batch[CAMERA].dtype) == ((2, 1, 2, 3), np.uint8)


def test_a_batch_is_the_callers_to_change():
    windows = Windows(Recorded([3]), Window(), ["action", CAMERA])
    first = windows.batch(np.array([1]))
    for value in first.values():
        value[:] = 99
    again = windows.batch(np.array([1]))
    assert again["action"].tolist() == [[1, -1]]
    assert again[CAMERA].max() == 1


def test_pictures_decoded_on_the_way_are_stored_and_nothing_is_decoded_twice(tmp_path):
    dataset, cache = Recorded([3, 2, 4], group=2), FrameCache(tmp_path, 1 << 20)
    windows = Windows(dataset, Window(), [CAMERA], cache=cache)
    for rows in ([8, 1], [2, 0], [5, 6, 3], [4], [7]):
        windows.batch(np.array(rows))
        cache.flush()
    assert dataset.decoded == [[0, 1, 7, 8], [2], [3, 4, 5, 6]]
    assert len(cache.listed()) == 3
    assert all(stored.is_complete for stored in cache.listed())


def test_what_does_not_fit_is_decoded_every_time(tmp_path):
    dataset = Recorded([3, 2])
    cache = FrameCache(tmp_path, 3 * (2 * 4 * 3 + 1))
    windows = Windows(dataset, Window(), [CAMERA], cache=cache)
    for _ in range(2):
        assert windows.batch(np.array([1, 4]))[CAMERA][:, 0, 0, 0].tolist() == [1, 4]
        cache.flush()
    assert dataset.decoded == [[1], [4], [4]]


def test_while_storing_is_behind_only_what_is_asked_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr("etude.data.cache.storing.WAITING_BYTES", 1)
    dataset, cache, gate = Recorded([6], group=3), FrameCache(tmp_path, 1 << 20), threading.Event()
    windows = Windows(dataset, Window(), [CAMERA], cache=cache)
    cache._storing.put(gate.wait, 1, wait=False)
    assert windows.batch(np.array([4]))[CAMERA][0, 0, 0, 0] == 4
    gate.set()
    cache.flush()
    windows.batch(np.array([4]))
    assert dataset.decoded == [[4], [3, 4, 5]]


def test_without_a_cache_all_is_decoded_every_time():
    dataset = Recorded([3, 2], group=2)
    windows = Windows(dataset, Window(), [CAMERA])
    windows.batch(np.array([1]))
    windows.batch(np.array([1]))
    assert dataset.decoded == [[1], [1]]


def test_threads_share_windows(tmp_path):
    dataset = Recorded([40, 30, 50], group=3)
    windows = Windows(dataset, Window(), ["action", CAMERA], cache=FrameCache(tmp_path, 1 << 20))
    asked = np.random.default_rng(0).integers(0, 120, (60, 16))
    with ThreadPoolExecutor(4) as pool:
        for rows, batch in zip(asked, pool.map(windows.batch, asked), strict=True):
            assert batch["action"][:, 0].tolist() == rows.tolist()
            assert batch[CAMERA][:, 0, 0, 0].tolist() == rows.tolist()


@pytest.mark.parametrize(("keys", "offsets"), [(["actoin"], {}), (["action"], {"actoin": (0,)})])
def test_an_unknown_key_is_named_with_the_nearest(keys, offsets):
    with pytest.raises(NotFound, match=r"'actoin'\. Did you mean 'action'"):
        Windows(Recorded([2]), Window(offsets=offsets), keys)


def test_real_files_give_the_pictures_of_their_rows(dataset, tmp_path):
    offsets = {"observation.images.front": (-1, 0)}
    keys = ["observation.state", "observation.images.front"]
    cache = FrameCache(tmp_path, 1 << 30)
    kept = Windows(dataset, Window(offsets=offsets), keys, image_size=(12, 16), cache=cache)
    batches = [Windows(dataset, Window(offsets=offsets), keys, image_size=(12, 16)).batch(np.array([5, 2, 4]))]
    for _ in range(2):
        batches.append(kept.batch(np.array([5, 2, 4])))
        cache.flush()
    # Episodes of 4, 1 and 3 frames; the grey of a frame is 20 + 50 episode + 8 tick.
    for batch in batches:
        assert batch["observation.state"].tolist() == [[2, 0], [0, 2], [1, 0]]
        greys = batch["observation.images.front"].mean((2, 3, 4))
        np.testing.assert_allclose(greys, [[120, 120], [28, 36], [70, 70]], atol=3)
        np.testing.assert_array_equal(batch["observation.images.front"], batches[0]["observation.images.front"])
