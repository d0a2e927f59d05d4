import threading
import time

import pytest

from etude.data.ahead import ahead


def test_all_come_in_order_however_long_each_takes():
    here, drawn, threads = threading.get_ident(), [], set()
    numbers = iter(range(100))

    def draw():
        drawn.append(threading.get_ident())
        return next(numbers)

    def read(number):
        threads.add(threading.get_ident())
        time.sleep(0.01 * (number % 2))
        return number

    assert list(ahead(draw, read, 7, readers=3)) == list(range(7))
    assert set(drawn) == {here}
    assert here not in threads
    assert next(numbers) == 7  # nothing was drawn that was not given


def test_some_are_read_at_the_same_time():
    both = threading.Barrier(2, timeout=10)
    assert list(ahead(lambda: 0, lambda _: both.wait() >= 0, 2, readers=2)) == [True, True]


def test_nothing_is_asked_for_nothing():
    assert list(ahead(lambda: 1 / 0, lambda _: 1 / 0, 0)) == []


def test_an_error_arrives():
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda: 0, lambda _: 1 / 0, 3))


def test_leaving_early_ends_the_threads():
    batches = ahead(lambda: 1, lambda number: number, 1000)
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("loader")]
