import sys
from unittest.mock import MagicMock

import numpy as np
import pytest

from etude.core.errors import MissingExtra
from etude.envs.env import Step
from etude.rollout.rerun_sink import RerunSink


def test_states_actions_and_pictures_are_sent(tmp_path):
    reader = pytest.importorskip("rerun.chunk").RrdReader
    with RerunSink.opened(tmp_path / "run.rrd") as sink:
        sink.begin(0)
        for number in range(5):
            frame = {
                "observation.state": np.full(2, number, np.float32),
                "observation.images.front": np.full((8, 12, 3), number, np.uint8),
            }
            sink.tick(frame, Step(frame=frame, action=np.full(2, -number, np.float32)))
        sink.end(success=True)
    chunks = list(reader(str(tmp_path / "run.rrd")).stream())
    assert {"/state", "/action", "/images/front"} <= {chunk.entity_path for chunk in chunks}
    states = [chunk.to_record_batch().column("Scalars:scalars") for chunk in chunks if chunk.entity_path == "/state"]
    assert [row for column in states for row in column.to_pylist()] == [[number, number] for number in range(5)]


def test_a_viewer_that_was_closed_stops_nothing():
    class Gone(MagicMock):
        def flush(self, timeout_sec):
            raise RuntimeError("connection severed")

    sink = RerunSink(MagicMock(), Gone())
    sink.start()
    frame = {"observation.state": np.zeros(2, np.float32)}
    sink.tick(frame, Step(frame=frame, action=np.zeros(2, np.float32)))
    sink.close()


def test_its_absence_is_told_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(MissingExtra, match=r"pip install 'etude\[viz\]'"), RerunSink.opened():
        pass
