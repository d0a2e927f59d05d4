import threading

import pytest

from etude.data.cache.storing import WAITING_BYTES, Storing


@pytest.fixture
def storing():
    return Storing()


def test_all_is_done_in_order(storing):
    done = []
    for number in range(50):
        assert storing.put(lambda number=number: done.append(number), 1, wait=False)
    storing.flush()
    assert done == list(range(50))


def test_who_comes_too_fast_is_refused_or_waits(storing):
    gate, done = threading.Event(), []
    assert storing.put(gate.wait, WAITING_BYTES + 1, wait=False)  # however large, one is taken
    assert not storing.put(lambda: done.append("refused"), 1, wait=False)
    waiter = threading.Thread(target=storing.put, args=(lambda: done.append("waited"), 1), kwargs={"wait": True})
    waiter.start()
    gate.set()
    waiter.join(10)
    storing.flush()
    assert done == ["waited"]


def test_its_thread_ends_when_there_is_nothing_to_do(storing):
    storing.put(lambda: None, 1, wait=False)
    storing.flush()
    for thread in threading.enumerate():
        if thread.name == "store":
            thread.join(10)
    assert "store" not in [thread.name for thread in threading.enumerate()]
    done = []
    storing.put(lambda: done.append(1), 1, wait=False)
    storing.flush()
    assert done == [1]
