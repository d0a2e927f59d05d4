from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.errors import NotFound
from etude.core.spec import Spec
from etude.core.window import Window
from etude.data.dataset import Episodes
from etude.data.windows import Windows

CAMERA = "observation.images.front"


class Recorded(SimpleNamespace):
    """A dataset in memory that remembers what it was asked to decode; its values tell their own row."""

    def __init__(self, lengths):
        episodes = Episodes.in_a_row(lengths, lambda _: ("t",))
        camera = Spec(shape=(2, 4, 3), dtype="uint8")
        super().__init__(episodes=episodes, specs={"action": Spec(shape=(2,)), CAMERA: camera}, decoded=[])
        self.num_frames = sum(lengths)

    def column(self, key):
        rows = np.arange(self.num_frames)
        return rows % 2 if key == "task_index" else np.stack([rows, -rows], 1).astype(np.float32)

    def take(self, key, rows):
        return self.column(key)[rows]

    def images(self, key, rows, size=None):
        self.decoded.append(rows.tolist())
        return np.broadcast_to(rows[:, None, None, None], (len(rows), *(size or (2, 4)), 3)).astype(np.uint8)


def oracle(episodes, offsets, row):
    """What the window of one row holds, the long way round."""
    home = next(episode for episode in episodes if episode.start <= row < episode.stop)
    rows, pads = [], []
    for offset in offsets:
        wanted = row + offset
        pads.append(not home.start <= wanted < home.stop)
        rows.append(min(max(wanted, home.start), home.stop - 1))
    return rows, pads


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    action=st.lists(st.integers(-8, 8), min_size=1, max_size=6),
    camera=st.lists(st.integers(-8, 8), min_size=1, max_size=3),
    cache_bytes=st.sampled_from([0, 1 << 20]),
    data=st.data(),
)
def test_windows_and_padding_equal_the_oracle(lengths, action, camera, cache_bytes, data):
    dataset = Recorded(lengths)
    window = Window(offsets={"action": tuple(action), CAMERA: tuple(camera)})
    rows = data.draw(st.lists(st.integers(0, dataset.num_frames - 1), min_size=1, max_size=8))
    batch = Windows(dataset, window, ["action", CAMERA], cache_bytes=cache_bytes).batch(np.array(rows))
    for sample, row in enumerate(rows):
        wanted, pads = oracle(dataset.episodes, action, row)
        assert batch["action"][sample, :, 0].tolist() == wanted
        assert batch["action_is_pad"][sample].tolist() == pads
        wanted, pads = oracle(dataset.episodes, camera, row)
        assert batch[CAMERA][sample, :, 0, 0, 0].tolist() == wanted
        assert batch[f"{CAMERA}_is_pad"][sample].tolist() == pads
    assert batch["task_index"].tolist() == [row % 2 for row in rows]


def test_a_window_by_hand():
    batch = Windows(Recorded([3, 2]), Window(offsets={"action": (-1, 0, 1)}), ["action"]).batch(np.array([2, 3]))
    assert batch["action"][..., 0].tolist() == [[1, 2, 2], [3, 3, 4]]
    assert batch["action_is_pad"].tolist() == [[False, False, True], [True, False, False]]


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


def test_cached_episodes_are_decoded_once_whole_and_in_order():
    dataset = Recorded([3, 2, 4])
    windows = Windows(dataset, Window(), [CAMERA])
    for rows in ([8, 1], [2, 0], [5, 6, 3], [4]):
        windows.batch(np.array(rows))
    assert dataset.decoded == [[0, 1, 2, 5, 6, 7, 8], [3, 4]]


def test_pictures_that_do_not_fit_in_memory_are_decoded_per_batch():
    dataset = Recorded([3, 2])
    fits = 5 * 2 * 4 * 3
    windows = Windows(dataset, Window(), [CAMERA], cache_bytes=fits - 1)
    windows.batch(np.array([1]))
    windows.batch(np.array([1]))
    assert dataset.decoded == [[1], [1]]
    Windows(dataset, Window(), [CAMERA], cache_bytes=fits).batch(np.array([1]))
    assert dataset.decoded[2:] == [[0, 1, 2]]


@pytest.mark.parametrize(("keys", "offsets"), [(["actoin"], {}), (["action"], {"actoin": (0,)})])
def test_an_unknown_key_is_named_with_the_nearest(keys, offsets):
    with pytest.raises(NotFound, match=r"'actoin'\. Did you mean 'action'"):
        Windows(Recorded([2]), Window(offsets=offsets), keys)


def test_real_files_give_the_pictures_of_their_rows(dataset):
    offsets = {"observation.images.front": (-1, 0)}
    keys = ["observation.state", "observation.images.front"]
    batches = [
        Windows(dataset, Window(offsets=offsets), keys, image_size=(12, 16), cache_bytes=cache).batch(
            np.array([5, 2, 4])
        )
        for cache in (0, 1 << 30)
    ]
    # Episodes of 4, 1 and 3 frames; the grey of a frame is 20 + 50 episode + 8 tick.
    for batch in batches:
        assert batch["observation.state"].tolist() == [[2, 0], [0, 2], [1, 0]]
        greys = batch["observation.images.front"].mean((2, 3, 4))
        np.testing.assert_allclose(greys, [[120, 120], [28, 36], [70, 70]], atol=3)
    np.testing.assert_array_equal(batches[0]["observation.images.front"], batches[1]["observation.images.front"])
