import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from etude.data.video import VideoWriter
from etude.data.video.encoders import works
from etude.data.video.priority import in_background, unhurried

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads cannot be told apart")


def schedulers():
    return {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}


@pytest.mark.parametrize("use", ["try", "write"])
def test_no_thread_is_in_a_hurry_after_an_encoder_was_opened(tmp_path, use):
    before = schedulers()
    if use == "try":
        works.__wrapped__("libsvtav1")
    else:
        writer = VideoWriter(tmp_path / "a.mp4", 30)
        writer.add(np.zeros((64, 64, 3), np.uint8))
    try:
        assert schedulers() == before
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
    finally:
        if use == "write":
            writer.close()


def test_a_thread_gets_back_what_it_had():
    if os.geteuid():
        pytest.skip("only root may hurry")
    with unhurried():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_background_work_is_nicer_and_its_failures_are_raised_here():
    seen = []
    in_background(lambda: seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
    assert seen == [os.getpriority(os.PRIO_PROCESS, 0) + 2]
    with pytest.raises(ZeroDivisionError):
        in_background(lambda: 1 / 0)
