import gc

import numpy as np
import pytest

from etude.data.cache.buffers import Buffers

UINT8 = np.dtype(np.uint8)


@pytest.fixture
def buffers():
    return Buffers()


def place(array):
    return array.__array_interface__["data"][0]


def test_memory_is_given_again_when_nobody_looks_at_it(buffers):
    first = buffers.empty((4, 1000), UINT8)
    first[:] = 7
    where = place(first)
    del first
    again = buffers.empty((1000, 2), np.dtype(np.uint16))
    assert place(again) == where
    assert (again.shape, again.dtype) == ((1000, 2), np.uint16)


def test_a_view_is_enough_to_keep_it(buffers):
    first = buffers.empty((4, 1000), UINT8)
    first[:] = 7
    view = first[2:].reshape(-1)[10:]
    where = place(first)
    del first
    gc.collect()
    other = buffers.empty((4, 1000), UINT8)
    other[:] = 9
    assert place(other) != where
    assert view.min() == view.max() == 7


def test_two_at_a_time_are_apart_and_other_sizes_get_their_own(buffers):
    arrays = [buffers.empty((5, size), UINT8) for size in (10, 10, 20, 10)]
    for number, array in enumerate(arrays):
        array[:] = number
    assert [array.max() for array in arrays] == [0, 1, 2, 3]
    assert buffers.empty((0, 3), UINT8).shape == (0, 3)
