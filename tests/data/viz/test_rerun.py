import sys

import numpy as np
import pytest

from etude.core.errors import MissingExtra
from etude.data.viz.rerun import write_recording


def test_a_recording_holds_the_episode(arm, tmp_path):
    reader = pytest.importorskip("rerun.chunk").RrdReader
    write_recording(arm, 1, tmp_path / "episode.rrd")
    chunks = {(chunk.entity_path, chunk.is_static): chunk for chunk in reader(str(tmp_path / "episode.rrd")).stream()}
    names = {name for name, _ in chunks}
    assert {"/state", "/action", "/images/front", "/images/wrist", "/task", "/late"} <= names
    state = chunks["/state", False].to_record_batch()
    assert state.column("frame").to_pylist() == list(range(30))
    assert state.column("Scalars:scalars").to_pylist()[7] == [7.0, -7.0]
    late = chunks["/late", False].to_record_batch().column("Scalars:scalars").to_pylist()
    assert np.flatnonzero(np.ravel(late)).tolist() == [7, 8, 20]
    assert chunks["/images/front", False].num_rows == 30
    assert chunks["/images/front", True].num_rows == 1
    (reader,) = list(reader(str(tmp_path / "episode.rrd")).recordings())
    assert reader.application_id == "arm episode 1"


def test_without_rerun_the_extra_is_named(arm, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(MissingExtra, match=r"pip install 'etude\[viz\]'"):
        write_recording(arm, 1, tmp_path / "episode.rrd")
