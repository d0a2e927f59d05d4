import shutil

import numpy as np
import pytest

from etude.core.errors import DatasetError, UserError
from etude.data import open_dataset
from etude.data.remote.hub import best_version

COMMIT, OTHER = "1" * 40, "2" * 40
FRONT = "observation.images.front"


def commits(hub):
    return {path.split("/")[5] for path in hub.got("HEAD") if "/resolve/" in path}


@pytest.mark.parametrize("name", ["robots/blocks", "hf://robots/blocks", "hf://datasets/robots/blocks"])
def test_a_name_on_the_hub_reads_as_the_folder_behind_it(hub, golden_v3, name):
    remote = open_dataset(name)
    np.testing.assert_array_equal(remote.column("action"), golden_v3.column("action"))
    np.testing.assert_array_equal(remote.images(FRONT, np.arange(12)), golden_v3.images(FRONT, np.arange(12)))
    assert commits(hub) == {COMMIT}


@pytest.fixture
def golden_v3(golden):
    return open_dataset(golden / "lerobot_v3")


@pytest.mark.parametrize(("revision", "commit"), [("main", OTHER), ("v3.0", COMMIT), ("3" * 40, "3" * 40)])
def test_a_revision_is_the_one_asked_for(hub, revision, commit):
    open_dataset(f"robots/blocks@{revision}")
    assert commits(hub) == {commit}


def test_without_version_tags_the_main_branch_is_read(hub):
    hub.refs["tags"] = {"paper": COMMIT}
    open_dataset("robots/blocks")
    assert commits(hub) == {OTHER}


def test_files_are_fetched_when_they_are_touched_and_never_twice(hub):
    dataset = open_dataset("robots/blocks")
    assert not [path for path in hub.got() if path.endswith(".mp4") or "/data/" in path.partition("/resolve/")[2]]
    dataset.images(FRONT, np.array([0]))
    assert len([path for path in hub.got() if path.endswith(".mp4")]) == 1
    hub.requests = []
    open_dataset("robots/blocks").images(FRONT, np.array([0]))
    assert not [path for path in hub.got() if "/resolve/" in path]


def test_a_new_commit_fetches_only_what_has_changed(hub):
    open_dataset("robots/blocks").column("action")
    hub.refs["tags"]["v3.0"] = OTHER
    info = hub.root / "meta/info.json"
    info.write_text(info.read_text().replace("so_follower", "other"))
    hub.requests = []
    dataset = open_dataset("robots/blocks")
    dataset.column("action")
    assert dataset.robot_type == "other"
    assert [path.partition(OTHER)[2] for path in hub.got() if "/resolve/" in path] == ["/meta/info.json"]


def test_a_dataset_in_lerobots_home_wins(hub, golden, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    shutil.copytree(golden / "lerobot_v3", tmp_path / "home/robots/blocks")
    assert open_dataset("robots/blocks").root == tmp_path / "home/robots/blocks"
    assert hub.requests == []


def test_a_folder_of_that_name_wins(hub, golden, tmp_path):
    shutil.copytree(golden / "lerobot_v3", tmp_path / "robots/blocks")
    assert str(open_dataset("robots/blocks").root) == "robots/blocks"
    with pytest.raises(UserError, match="robots/blokcs is not a dataset"):
        open_dataset("robots/blokcs")
    assert hub.requests == []


def test_without_a_network_the_last_version_is_read(hub, golden_v3):
    open_dataset("robots/blocks").column("action")
    hub.stop()
    again = open_dataset("robots/blocks")
    np.testing.assert_array_equal(again.column("action"), golden_v3.column("action"))
    with pytest.raises(DatasetError, match=r"\.mp4: cannot be fetched"):
        again.images(FRONT, np.array([0]))


def test_what_is_not_there_is_told(hub):
    with pytest.raises(UserError, match=r"There is no dataset 'robots/nothing' at http://127.* or it is private"):
        open_dataset("robots/nothing")
    with pytest.raises(UserError, match=r"robots/blocks has no revision 'v9'\. It has main, v3\.0"):
        open_dataset("robots/blocks@v9")


def test_a_hub_that_does_not_answer_is_told(monkeypatch):
    with pytest.raises(UserError, match=r"^robots/blocks is no folder here .* Hub it cannot be reached"):
        open_dataset("robots/blocks")


@pytest.mark.parametrize(
    ("tags", "best"),
    [
        (["v3.0", "v2.1"], "v3.0"),
        (["v2.0", "v2.1", "paper"], "v2.1"),
        (["v3.1", "v2.0"], "v2.0"),
        (["v4.0", "v3.0"], "v3.0"),
        (["paper"], ""),
        ([], ""),
    ],
)
def test_the_newest_version_that_is_read_is_chosen(tags, best):
    assert best_version(dict.fromkeys(tags), "x") == best


@pytest.mark.parametrize("tags", [["v4.0"], ["v1.6"], ["v3.2", "v1.0"]])
def test_versions_that_nobody_reads_are_told(tags):
    with pytest.raises(UserError, match=r"x has the versions .*; Etude reads v2\.0, v2\.1 and v3\.0"):
        best_version(dict.fromkeys(tags), "x")
