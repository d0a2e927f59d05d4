import shutil

import pytest

from etude.core import run
from etude.core.errors import UserError
from etude.core.events import read_events


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("ETUDE_HOME", str(tmp_path / "home"))


def test_a_run_is_stored_and_listed(tmp_path):
    started = run.start("train", {"steps": 3}, tmp_path / "somewhere")
    started.log("finished", loss=1.0)
    assert started.config() == {"command": "train", "config": {"steps": 3}}
    assert [event["kind"] for event in read_events(started.events)] == ["started", "finished"]
    assert list(run.all_runs()) == [started]


def test_taking_a_run_up_again_lists_it_once(tmp_path):
    run.start("train", {}, tmp_path / "a")
    run.start("train", {}, tmp_path / "a")
    assert len(list(run.all_runs())) == 1


def test_a_run_whose_folder_is_gone_is_not_listed(tmp_path):
    run.start("eval", {}, tmp_path / "a")
    run.start("eval", {}, tmp_path / "b")
    shutil.rmtree(tmp_path / "a")
    assert [entry.folder.name for entry in run.all_runs()] == ["b"]


def test_a_folder_without_a_readable_config_is_still_a_run(tmp_path):
    (tmp_path / "config.json").write_text("{")
    assert run.Run(tmp_path).config() == {}


def test_a_run_writes_into_no_other_kind_of_run(tmp_path):
    run.start("train", {}, tmp_path / "a")
    with pytest.raises(UserError, match="holds a run of `etude train`"):
        run.start("eval", {}, tmp_path / "a")
    assert run.Run(tmp_path / "a").config()["command"] == "train"


def test_a_run_writes_into_no_dataset(tmp_path):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "info.json").touch()
    with pytest.raises(UserError, match="is a dataset"):
        run.start("train", {}, tmp_path)


@pytest.mark.parametrize("folder", ["file", "file/below/it"])
def test_a_file_is_no_folder_for_a_run(tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file is a file"):
        run.start("train", {}, tmp_path / folder)
