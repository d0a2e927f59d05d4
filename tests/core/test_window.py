import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from etude.core.window import Window


def test_rows_are_clamped_to_the_episode_and_say_so():
    window = Window(offsets={"action": (-1, 0, 1, 2)})
    rows, is_pad = window.rows("action", np.array([10, 13]), np.array([10, 10]), np.array([14, 14]))
    assert rows.tolist() == [[10, 10, 11, 12], [12, 13, 13, 13]]
    assert is_pad.tolist() == [[True, False, False, False], [False, False, True, True]]


@given(st.integers(0, 20), st.integers(1, 20), st.data())
def test_no_row_ever_leaves_its_episode(start, length, data):
    offsets = tuple(data.draw(st.lists(st.integers(-30, 30), min_size=1, max_size=5)))
    index = data.draw(st.integers(start, start + length - 1))
    rows, is_pad = Window(offsets={"a": offsets}).rows(
        "a", np.array([index]), np.array([start]), np.array([start + length])
    )
    assert ((rows >= start) & (rows < start + length)).all()
    for row, pad, offset in zip(rows[0], is_pad[0], offsets, strict=True):
        assert pad == (not start <= index + offset < start + length)
        assert pad or row == index + offset
