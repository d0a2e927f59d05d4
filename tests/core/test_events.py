import json

from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.events import EventLog, read_events


def test_events_are_read_back_in_order_while_the_writer_is_open(tmp_path):
    log = EventLog(tmp_path / "run" / "events.jsonl")
    log.write("step", step=1, loss=0.5)
    log.write("done")
    events = list(read_events(tmp_path / "run" / "events.jsonl"))
    assert [event["kind"] for event in events] == ["step", "done"]
    assert events[0]["loss"] == 0.5
    log.close()


@settings(max_examples=25)
@given(st.integers(1, 200))
def test_a_line_torn_by_a_crash_costs_that_line_only(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("run") / "events.jsonl"
    log = EventLog(path)
    for step in range(5):
        log.write("step", step=step)
    log.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    kept = whole[: max(0, len(whole) - cut)].count(b"\n")
    assert [event["step"] for event in read_events(path)] == list(range(kept))
    log = EventLog(path)
    log.write("resumed")
    log.close()
    events = list(read_events(path))
    assert [event["kind"] for event in events] == ["step"] * (len(events) - 1) + ["resumed"]
    assert json.loads(path.read_bytes().splitlines()[-1])["kind"] == "resumed"


def test_a_log_that_does_not_exist_has_no_events(tmp_path):
    assert list(read_events(tmp_path / "none.jsonl")) == []
