from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden/lerobot_v3"


def test_a_page_is_written_where_the_user_is(etude, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = etude("dataset", "viz", GOLDEN, "--episode", "1")
    path = tmp_path / "lerobot_v3-episode-1.html"
    assert code == 0
    assert str(path) in out
    assert path.read_text().startswith("<!doctype html>")


def test_h264_and_another_name(etude, tmp_path):
    assert etude("dataset", "viz", GOLDEN, "--h264", "--output", tmp_path / "page.html")[0] == 0
    assert (tmp_path / "page.html").exists()


def test_a_recording_for_rerun(etude, tmp_path):
    pytest.importorskip("rerun")
    assert etude("dataset", "viz", GOLDEN, "--save", tmp_path / "episode.rrd")[0] == 0
    assert (tmp_path / "episode.rrd").stat().st_size > 0


@pytest.mark.parametrize("words", [("--episode", "99"), ("--save", "episode.txt")])
def test_what_cannot_be_shown_is_a_user_error(etude, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert etude("dataset", "viz", GOLDEN, *words)[0] == 2
    assert list(tmp_path.iterdir()) == []
